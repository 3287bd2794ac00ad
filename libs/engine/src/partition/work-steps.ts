/**
 * Long work of the event loop's thread (replaying the log, restoring a snapshot) is cut into steps by the bytes that it reads. Between two
 * steps the event loop runs once, so that calls, turns of other partitions and lease renewals wait for one step at most.
 */
/** Some milliseconds of replay: postings on as many accounts cost about 2 µs for each of their 100 bytes. */
export const STEP_BYTES = 32 << 10;

export class WorkSteps {
  private bytes = 0;

  /** Counts work that was done. A promise: the step is over, wait for it before going on. */
  done(bytes: number): Promise<void> | undefined {
    this.bytes += bytes;
    if (this.bytes < STEP_BYTES) return undefined;
    this.bytes = 0;
    return new Promise((resolve) => setImmediate(resolve));
  }
}

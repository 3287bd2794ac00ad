/**
 * The event log as a process sees it: the memory log behind a network and a disk that fail as the plan says.
 *
 *   append          stored   writer hears
 *   well            yes      done
 *   fails           no       AppendFailedError
 *   answer lost     yes      AppendFailedError
 *   hangs           later    AppendFailedError, before or after it is stored; a later append may take its sequence first
 */
import { MemoryEventLog, type MemoryLogStorage } from '@sluice/memory';
import { AppendFailedError, type CommitRecord, type CommitToAppend, type EventLog, type LogIdentity } from '@sluice/ports';
import type { Life } from './life';

/** A driver gives an append up after this time. */
const APPEND_LIMIT_US = 2_000_000;

export class SimulatedEventLog implements EventLog {
  readonly #log: MemoryEventLog;

  constructor(
    private readonly life: Life,
    storage: MemoryLogStorage,
  ) {
    this.#log = new MemoryEventLog(storage);
  }

  get maximumCommitBytes(): number {
    return this.#log.maximumCommitBytes;
  }

  get identity(): LogIdentity {
    return this.#log.identity;
  }

  async append(commit: CommitToAppend): Promise<void> {
    const { life } = this;
    const { world, random } = life;
    const { faults, trace } = world;
    // The bytes are a view of a buffer that the writer uses again.
    const kept = { ...commit, bytes: new Uint8Array(commit.bytes), eventTypes: [...commit.eventTypes] };
    const what = `append ${commit.partition}/${commit.sequence} (${commit.eventTypes.join(', ')})`;
    const latency = life.diskLatency();
    if (random.chance(faults.appendFails)) {
      trace.note(life.name, `${what} fails`);
      await life.io(latency, () => {
        throw new AppendFailedError('the append was made to fail');
      });
    } else if (random.chance(faults.appendHangs)) {
      trace.note(life.name, `${what} hangs`);
      const storedAfterUs = random.below(2 * APPEND_LIMIT_US);
      world.timeline.schedule(storedAfterUs, () => {
        this.#log.append(kept).then(
          () => trace.note(life.name, `${what} arrives late`),
          () => trace.note(life.name, `${what} arrives too late`),
        );
      });
      await life.io({ thereUs: APPEND_LIMIT_US, backUs: 0 }, () => {
        throw new AppendFailedError('the append was given up');
      });
    } else {
      const answerLost = random.chance(faults.appendAnswerLost);
      await life.io(latency, async () => {
        try {
          await this.#log.append(kept);
        } catch (error) {
          trace.note(life.name, `${what} refused: ${(error as Error).name}`);
          throw error;
        }
        trace.note(life.name, `${what} stored${answerLost ? ', its answer is lost' : ''}`);
        if (answerLost) throw new AppendFailedError('the connection was lost before the answer came');
      });
    }
  }

  read(partition: number, fromSequence: number, page: { maxCommits: number; maxBytes: number }): Promise<CommitRecord[]> {
    return this.#asked(() => this.#log.read(partition, fromSequence, page));
  }

  head(partition: number): Promise<CommitRecord | undefined> {
    return this.#asked(() => this.#log.head(partition));
  }

  isTaken(partition: number, sequence: number): Promise<boolean> {
    return this.#asked(() => this.#log.isTaken(partition, sequence));
  }

  headSequences(): Promise<number[]> {
    return this.#asked(() => this.#log.headSequences());
  }

  dropFrom(partition: number, sequence: number): Promise<number> {
    return this.#log.dropFrom(partition, sequence);
  }

  async close(): Promise<void> {}

  #asked<Result>(ask: () => Promise<Result>): Promise<Result> {
    const { life } = this;
    const fails = life.random.chance(life.world.faults.logReadFails);
    return life.io(life.networkLatency(), () => {
      if (fails) throw new Error('the log could not be read');
      return ask();
    });
  }
}

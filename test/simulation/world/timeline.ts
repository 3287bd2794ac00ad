/**
 * Simulated time: events in the order of their moments. Between two events the timeline lets every promise and every tick that is ready go on. Nothing
 * else moves the program, so a run depends on its seed alone.
 *
 * Each event runs in an immediate of its own. Between two immediates of one round Node runs ticks and promises and reports rejections that are not handled; a round
 * of its event loop for each event would do the same, and would ask the operating system for input every time.
 */
interface TimelineEvent {
  readonly atUs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Taken before anything replaces it. */
const realSetImmediate = globalThis.setImmediate;
/** Events in one round of Node's event loop. */
const EVENTS_PER_ROUND = 1_000;

export class Timeline {
  /** Microseconds since the start of the run. */
  nowUs = 0;
  /** Events that have run. */
  eventCount = 0;
  #order = 0;
  readonly #heap: TimelineEvent[] = [];

  /** Runs the callback after the delay; returns how to cancel. Callbacks of one moment run in the order in which they were scheduled. */
  schedule(delayUs: number, run: () => void): () => void {
    const event: TimelineEvent = { atUs: this.nowUs + Math.max(0, Math.round(delayUs)), order: this.#order++, run };
    this.#push(event);
    return () => {
      event.run = undefined;
    };
  }

  /** Resolves after the delay. */
  pass(delayUs: number): Promise<void> {
    return new Promise((resolve) => void this.schedule(delayUs, resolve));
  }

  /** Runs events until the condition holds; false: there are no events left, or the time limit was reached. */
  runUntil(condition: () => boolean, limitUs: number): Promise<boolean> {
    return new Promise((resolve, reject) => {
      let isOver = false;
      const step = (): void => {
        if (isOver) return;
        try {
          const holds = condition();
          if (!holds && this.#runNext(limitUs)) return;
          isOver = true;
          resolve(holds);
        } catch (error) {
          isOver = true;
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      };
      const round = (): void => {
        if (isOver) return;
        for (let count = 0; count < EVENTS_PER_ROUND; count += 1) realSetImmediate(step);
        realSetImmediate(round);
      };
      round();
    });
  }

  /** @returns false: there is no event before the limit. */
  #runNext(limitUs: number): boolean {
    for (let first = this.#heap[0]; first !== undefined && first.atUs <= limitUs; first = this.#heap[0]) {
      this.#pop();
      const { run, atUs } = first;
      if (run === undefined) continue;
      this.nowUs = Math.max(this.nowUs, atUs);
      this.eventCount += 1;
      run();
      return true;
    }
    return false;
  }

  #push(event: TimelineEvent): void {
    const heap = this.#heap;
    let at = heap.length;
    heap.push(event);
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(event, heap[parent] as TimelineEvent)) break;
      heap[at] = heap[parent] as TimelineEvent;
      at = parent;
    }
    heap[at] = event;
  }

  #pop(): TimelineEvent | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as TimelineEvent, heap[child] as TimelineEvent)) child += 1;
      if (!isBefore(heap[child] as TimelineEvent, last)) break;
      heap[at] = heap[child] as TimelineEvent;
      at = child;
    }
    heap[at] = last;
    return first;
  }
}

function isBefore(left: TimelineEvent, right: TimelineEvent): boolean {
  return left.atUs < right.atUs || (left.atUs === right.atUs && left.order < right.order);
}

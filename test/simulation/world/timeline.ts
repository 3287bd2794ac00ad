/**
 * Simulated time: events in the order of their moments. Between two events the timeline lets every promise that is ready go on, by
 * giving Node's own event loop one round. Nothing else moves the program, so a run depends on its seed alone.
 */
interface TimelineEvent {
  readonly atUs: number;
  readonly order: number;
  run: (() => void) | undefined;
}

/** Taken before anything replaces it. */
const realSetImmediate = globalThis.setImmediate;

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
  async runUntil(condition: () => boolean, limitUs: number): Promise<boolean> {
    await settled();
    while (!condition()) {
      const first = this.#heap[0];
      if (first === undefined || first.atUs > limitUs) return false;
      const event = this.#pop() as TimelineEvent;
      if (event.run === undefined) continue;
      this.nowUs = Math.max(this.nowUs, event.atUs);
      this.eventCount += 1;
      event.run();
      await settled();
    }
    return true;
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

/** Resolves when every promise that could go on has gone on. */
function settled(): Promise<void> {
  return new Promise((resolve) => realSetImmediate(resolve));
}

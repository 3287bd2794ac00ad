/** Loading lets the event loop run: calls, turns of other partitions and lease renewals go on meanwhile. */
import type { Capability, CapabilityState } from '../capability';
import { Cluster } from '../test/engine-under-test';
import { JournalState } from '../test/journal';
import { STEP_BYTES } from './work-steps';

const PARTITION = 1;
const LINE_BYTES = 1_000;
const LARGEST_PART_BYTES = 2_000;

/** Bytes that loading took in between two rounds of the event loop, at most. */
class Watched {
  mostBytes = 0;
  rounds = 0;
  private bytes = 0;
  private watching = true;

  constructor() {
    const round = (): void => {
      this.bytes = 0;
      this.rounds += 1;
      if (this.watching) setImmediate(round);
    };
    round();
  }

  took(bytes: number): void {
    this.bytes += bytes;
    this.mostBytes = Math.max(this.mostBytes, this.bytes);
  }

  end(): void {
    this.watching = false;
  }
}

/** A journal whose lines come in events of many, taken in steps, and whose work is watched. */
function watchedJournal(watched: () => Watched): Capability {
  return {
    name: 'journal',
    createState: (services) => {
      const state = new JournalState(services);
      const watchedState: Partial<CapabilityState> = {
        *replay(event, commit) {
          for (let at = 0; at < event.payload.length; at += LARGEST_PART_BYTES) {
            const part = event.payload.subarray(at, at + LARGEST_PART_BYTES);
            watched().took(part.length);
            state.replay({ ...event, payload: part }, commit);
            yield part.length;
          }
        },
        restore(block) {
          watched().took(block.length);
          state.restore(block);
        },
      };
      return Object.assign(Object.create(state) as JournalState, watchedState);
    },
  };
}

test.each`
  what                                     | lines  | lineBytes         | snapshot
  ${'many commits with an event each'}     | ${500} | ${LINE_BYTES}     | ${false}
  ${'an event that is larger than a step'} | ${3}   | ${4 * STEP_BYTES} | ${false}
  ${'many blocks of a snapshot'}           | ${500} | ${LINE_BYTES}     | ${true}
`('between two rounds it takes in one step at most: $what', async ({ lines, lineBytes, snapshot }: { lines: number; lineBytes: number; snapshot: boolean }) => {
  const cluster = new Cluster();
  const one = cluster.process('one');
  await one.engine.own(PARTITION);
  for (let line = 0; line < lines; line += 1) await one.write(PARTITION, `${line} `.padEnd(lineBytes, 'x'));
  if (snapshot) await one.engine.stop({ snapshot: true });

  const watched = new Watched();
  const two = cluster.process('two', { capability: watchedJournal(() => watched) });
  await two.engine.own(PARTITION);
  watched.end();
  const total = lines * lineBytes;
  expect(watched.mostBytes).toBeGreaterThan(0);
  expect(watched.mostBytes).toBeLessThan(STEP_BYTES + 6 * LINE_BYTES);
  expect(watched.rounds).toBeGreaterThan(total / STEP_BYTES / 2);
  await cluster.stop();
});

/** Parked timers that an operator has tried again. */
import type { JournalState } from '../test/journal';
import { PartitionUnderTest, rounds, sorter } from '../test/partition-under-test';
import { pageOfTimers } from './timer-page';

afterAll(() => sorter.close());

const PARTITION = 1;
const MS = 1_000;

async function started() {
  const under = await PartitionUnderTest.started();
  const { clock } = under;
  const startUs = clock.nowUs();
  const timers = () => under.timers.of(PARTITION);
  const state = (): JournalState => under.partition.stateOf('journal') as JournalState;
  const parked = async () => pageOfTimers((timers() as NonNullable<ReturnType<typeof timers>>).room.pending, { parkedOnly: true }, 10);
  await under.write(`+a@${startUs + 10 * MS}`, `+b@${startUs + 20 * MS}`, `+later@${startUs + 9_000 * MS}`);
  await clock.elapse(20);
  return {
    under,
    clock,
    timers,
    state,
    ask: () => timers()?.fire(startUs + 20 * MS),
    parked: async () => (await parked()).map(({ timer }) => timer.timerId),
    /** All parked ones. */
    redrive: async () => timers()?.redrive((await parked()).map(({ timer }) => timer.number)),
    ids: () => under.lines.filter((line) => line.startsWith('t-')).map((line) => line.split('-')[1]),
  };
}

/** The version of the owner does not know what timer b asks for. Returns how it learns it. */
function forgetMethod(state: JournalState): () => void {
  const { decideInternal } = state;
  state.decideInternal = (turn, commands) =>
    decideInternal.call(
      state,
      turn,
      commands.map((command) => (command.id.startsWith('t-b-') ? { ...command, method: 'Erase' } : command)),
    );
  return () => {
    state.decideInternal = decideInternal;
  };
}

test('a timer that can be decided by now fires once; others are not parked and stay as they are', async () => {
  const { state, timers, ask, parked, redrive, ids } = await started();
  const learn = forgetMethod(state());
  await ask();
  expect([ids(), await parked()]).toEqual([['a'], ['b']]);
  learn();
  expect(await redrive()).toBe(1);
  expect([ids(), await parked()]).toEqual([['a', 'b'], []]);
  expect(await timers()?.redrive([1, 2, 3, 99])).toBe(0);
  expect(timers()?.state.pending).toBe(1);
});

test('a timer that still cannot be decided is parked again, and is not lost', async () => {
  const { state, ask, parked, redrive, ids } = await started();
  forgetMethod(state());
  await ask();
  for (let attempt = 0; attempt < 3; attempt += 1) expect(await redrive()).toBe(1);
  expect([ids(), await parked()]).toEqual([['a'], ['b']]);
});

test('a timer whose decision threw is tried alone: it costs one load while it still throws, and fires when it is mended', async () => {
  const { under, clock, state, timers, ask, parked, redrive, ids } = await started();
  let loads = 0;
  const throwOnB = (): void => {
    const journal = state();
    const { decideInternal } = journal;
    journal.decideInternal = (turn, commands) => {
      if (commands.some(({ id }) => id.startsWith('t-b-'))) throw new Error('b is not thought of');
      return decideInternal.call(journal, turn, commands);
    };
  };
  const untilServing = async (): Promise<void> => {
    loads += 1;
    while (timers() === undefined) await clock.elapse(50);
    await rounds();
  };
  while ((await parked()).length === 0) {
    throwOnB();
    await ask();
    if (timers() === undefined) await untilServing();
  }
  throwOnB();
  loads = 0;
  await redrive();
  await untilServing();
  await ask();
  expect([loads, ids(), await parked()]).toEqual([1, ['a'], ['b']]);
  expect(await redrive()).toBe(1);
  expect([ids(), await parked()]).toEqual([['a', 'b'], []]);
  expect(under.partition.state).toBe('serving');
});

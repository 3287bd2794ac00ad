/** Firing what is due in one partition, step by step. */
import { type readCommit } from '@sluice/protocol';
import type { CapabilityState } from '../capability';
import type { JournalState } from '../test/journal';
import { PartitionUnderTest, rounds, sorter } from '../test/partition-under-test';

afterAll(() => sorter.close());

const PARTITION = 1;
const MS = 1_000;

async function started() {
  const pending: [number, number][] = [];
  const fired: number[] = [];
  const under = await PartitionUnderTest.started({
    observer: { timersPending: (_partition, count, parked) => void pending.push([count, parked]), timersFired: (_partition, count) => void fired.push(count) },
  });
  const { clock } = under;
  const startUs = clock.nowUs();
  const changes: (number | undefined)[] = [];
  const timers = () => under.timers.of(PARTITION);
  const announce = (): void => void changes.push(timers()?.state.earliestDueUs);
  under.timers.watch(announce);
  return {
    under,
    clock,
    pending,
    fired,
    changes,
    timers,
    /** In so many milliseconds from the start. */
    at: (ms: number) => startUs + ms * MS,
    ask: (ms: number) => timers()?.fire(startUs + ms * MS),
    ids: () => under.lines.filter((line) => line.startsWith('t-')).map((line) => line.split('-')[1]),
  };
}

test('nothing fires unasked; what is due fires in order when it is asked for, in one commit', async () => {
  const { under, clock, at, ask, ids, fired } = await started();
  await under.write(`+b@${at(20)}`, `+a@${at(10)}`, `+c@${at(30)}`, `+later@${at(31)}`);
  await clock.elapse(30);
  expect(ids()).toEqual([]);
  await ask(30);
  expect(ids()).toEqual(['a', 'b', 'c']);
  expect(fired).toEqual([3]);
  expect(
    under
      .commits()
      .at(-1)
      ?.events.map(({ type }) => type),
  ).toEqual([...Array(3).fill('journal.LineWritten'), 'log.TimersFired']);
});

test('what is asked for early is kept, and fires by itself when it is due by the clock of the owner', async () => {
  const { under, clock, at, ask, ids } = await started();
  await under.write(`+a@${at(100)}`, `+b@${at(200)}`);
  await ask(150);
  await clock.elapse(99);
  expect(ids()).toEqual([]);
  await clock.elapse(1);
  await rounds();
  expect(ids()).toEqual(['a']);
  await clock.elapse(500);
  expect(ids()).toEqual(['a']);
});

test('a clock that jumps is noticed within a second', async () => {
  const { under, clock, at, ask, ids } = await started();
  await under.write(`+a@${at(3_600_000)}`);
  await ask(3_600_000);
  clock.set(at(3_600_000));
  await clock.elapse(1_000);
  await rounds();
  expect(ids()).toEqual(['a']);
});

test('a clock that was set back makes a timer wait, although the commit time stands still', async () => {
  const { under, clock, at, ask, ids } = await started();
  await clock.elapse(1_000);
  await under.write('the newest commit is at a second', `+first@${at(100)}`, `+second@${at(900)}`);
  clock.set(at(500));
  // The step is asked for while the first one is due; when it is decided the first one is cancelled, and the second one is not due by the clock.
  const asked = ask(1_000);
  under.submit('-first');
  await asked;
  await rounds();
  expect(ids()).toEqual([]);
  await clock.elapse(400);
  await rounds();
  expect(ids()).toEqual(['second']);
});

test('who watches is told when the first due time changes, and when the partition is not served any more', async () => {
  const { under, changes, at } = await started();
  await under.write(`+b@${at(200)}`);
  await under.write(`+a@${at(100)}`);
  await under.write(`+c@${at(300)}`);
  await under.write('-a');
  await under.partition.release();
  expect(changes).toEqual([at(200), at(100), at(200), undefined]);
  expect(under.timers.partitions).toEqual([]);
});

test('a rejected command is fired, with its reason in the log', async () => {
  const { under, clock, at, ask, timers } = await started();
  await under.write(`+yes@${at(10)}`, `+no@${at(10)}`);
  await clock.elapse(10);
  await ask(10);
  expect(timers()?.state).toEqual({ earliestDueUs: undefined, pending: 0 });
  const { events } = under.commits().at(-1) as ReturnType<typeof readCommit>;
  expect(events.map(({ type }) => type)).toEqual(['journal.LineWritten', 'log.TimersFired']);
  expect(Buffer.from(events[1]?.payload ?? []).toString()).toContain('NOT_WANTED');
});

test('a command that cannot be decided waits, those behind it fire, and it is tried again when the partition is loaded', async () => {
  const { under, clock, at, ask, ids, pending, timers } = await started();
  const state = under.partition.stateOf('journal') as JournalState;
  await under.write(`+a@${at(10)}`, `+b@${at(20)}`, `+c@${at(30)}`);
  const { decideInternal } = state;
  state.decideInternal = (turn, commands) =>
    decideInternal.call(
      state,
      turn,
      commands.map((command) => (command.id.startsWith('t-b-') ? { ...command, method: 'Erase' } : command)),
    );
  await clock.elapse(30);
  await ask(30);
  expect(ids()).toEqual(['a', 'c']);
  expect(under.troubles).toEqual(['the timer b of journal journal waits, because its command cannot be decided']);
  expect(pending.at(-1)).toEqual([1, 1]);
  expect(timers()?.state).toEqual({ earliestDueUs: undefined, pending: 1 });
  const next = await under.next();
  next.clock.set(at(30));
  await next.timers.of(PARTITION)?.fire(at(30));
  expect(next.lines.filter((line) => line.startsWith('t-'))).toEqual([`t-a-${at(10)}`, `t-c-${at(30)}`, `t-b-${at(20)}`]);
});

test('10,000 that are due at the same moment fire in steps of 1,000, in the order in which they were set', async () => {
  const { under, clock, at, ask, ids, fired } = await started();
  const names = Array.from({ length: 10_000 }, (_, number) => String(number));
  await under.write(...names.map((name) => `+${name}@${at(10)}`));
  await clock.elapse(10);
  await ask(10);
  expect(ids()).toEqual(names);
  expect(fired).toEqual(Array(10).fill(1_000));
});

test('timers whose commands may record much fire in as many commits as they need', async () => {
  const { under, clock, at, ask, ids, fired } = await started();
  const state: CapabilityState = under.partition.stateOf('journal');
  state.recordBytesOf = (_method, payload) => (Buffer.from(payload).toString().startsWith('large') ? 3 << 20 : undefined);
  await under.write(...['a', 'large-1', 'b', 'large-2', 'large-3', 'c', 'd'].map((name) => `+${name}@${at(10)}`));
  await clock.elapse(10);
  await ask(10);
  expect(fired).toEqual([1, 1, 1, 1, 1, 2]);
  expect(ids()).toEqual(['a', 'large', 'b', 'large', 'large', 'c', 'd']);
});

test('a timer whose decision throws is found by smaller and smaller steps, and set aside; all others fire', async () => {
  const { under, clock, at, ids, timers } = await started();
  const names = Array.from({ length: 100 }, (_, number) => String(number));
  const breakDecisions = (): void => {
    const state = under.partition.stateOf('journal') as JournalState;
    const { decideInternal } = state;
    state.decideInternal = (turn, commands) => {
      if (commands.some(({ id }) => id.startsWith('t-42-'))) throw new Error('nobody thought of 42');
      return decideInternal.call(state, turn, commands);
    };
  };
  await under.write(...names.map((name) => `+${name}@${at(10)}`));
  await clock.elapse(10);
  let loads = 0;
  while (timers()?.state.earliestDueUs !== undefined) {
    breakDecisions();
    await timers()?.fire(at(10));
    while (timers() === undefined) await clock.elapse(50);
    loads += 1;
    await rounds();
  }
  expect(ids()).toEqual(names.filter((name) => name !== '42'));
  expect(timers()?.state.pending).toBe(1);
  expect(under.troubles.at(-1)).toBe('the timer 42 of journal journal waits, because its command cannot be decided');
  // A step of 100, 50, 25 … and one; each that throws costs a load.
  expect(loads).toBeLessThan(15);
});

/** What the engine itself asks of capabilities, and what waits for a commit. */
import type { CapabilityState } from '../capability';
import type { Turn } from '../partition/turn';
import { PartitionUnderTest, rounds, sorter } from '../test/partition-under-test';
import { decideEach, decideInternal, type InternalCommand, type InternalVerdict } from './internal-command';

afterAll(() => sorter.close());

const TURN = {} as Turn;
const command = (capability: string, id: string): InternalCommand => ({
  capability,
  method: 'Count',
  key: 'k',
  payload: new Uint8Array(0),
  id,
  origin: 'delivery',
});
const accepted = (id: string): InternalVerdict => ({ kind: 'accepted', payload: Buffer.from(id) });

function counting(runs: string[][], verdicts = (ids: string[]) => ids.map(accepted)): CapabilityState {
  return {
    replay: () => undefined,
    beginSnapshot: () => ({ next: () => undefined, end: () => undefined }),
    restore: () => undefined,
    decideInternal: (_turn, commands) => {
      const ids = commands.map(({ id }) => id);
      runs.push(ids);
      return verdicts(ids);
    },
  };
}

test('consecutive commands for one capability reach it at once, and every command has its verdict in order', () => {
  const runs: string[][] = [];
  const state = counting(runs);
  const verdicts = decideInternal(TURN, [command('a', '1'), command('a', '2'), command('b', '3'), command('a', '4')], () => state);
  expect(runs).toEqual([['1', '2'], ['3'], ['4']]);
  expect(verdicts).toEqual(['1', '2', '3', '4'].map(accepted));
});

test('what no capability takes is undecidable, and nothing behind it is decided', () => {
  const runs: string[][] = [];
  const state = counting(runs);
  const verdicts = decideInternal(TURN, [command('a', '1'), command('new', '2'), command('a', '3')], (name) => (name === 'a' ? state : undefined));
  expect(verdicts.map(({ kind }) => kind)).toEqual(['accepted', 'undecidable']);
  expect(verdicts[1]).toMatchObject({ reason: 'this version of Sluice has no capability new that takes such commands' });
  expect(runs).toEqual([['1']]);
});

test('a capability stops at what it cannot decide', () => {
  const cannot: InternalVerdict = { kind: 'undecidable', reason: 'no such method' };
  const commands = ['1', '2', '3'].map((id) => command('a', id));
  expect(decideInternal(TURN, commands, () => counting([], () => [accepted('1'), cannot]))).toEqual([accepted('1'), cannot]);
  const goesOn = counting([], () => [accepted('1'), cannot, accepted('3')]);
  expect(() => decideInternal(TURN, commands, () => goesOn)).toThrow('a gave 3 verdicts on 3 commands, 2 were expected');
});

test('commands that wait on their own are all decided but for those that cannot be', () => {
  const runs: string[][] = [];
  const state = counting(runs);
  const verdicts = decideEach(TURN, [command('a', '1'), command('new', '2'), command('a', '3')], (name) => (name === 'a' ? state : undefined));
  expect(verdicts.map(({ kind }) => kind)).toEqual(['accepted', 'undecidable', 'accepted']);
  expect(runs).toEqual([['1'], ['3']]);
});

test('a capability that leaves a command without a verdict is a programming error', () => {
  const state = counting([], () => []);
  expect(() => decideInternal(TURN, [command('a', '1')], () => state)).toThrow('a gave 0 verdicts on 1 commands, 1 were expected');
});

test.each`
  what                             | fails    | happens
  ${'happens when it is durable'}  | ${false} | ${['answered', 'handed out']}
  ${'never happens if it is lost'} | ${true}  | ${['failed']}
`('what waits for a commit $what', async ({ fails, happens }: { fails: boolean; happens: string[] }) => {
  const { log, partition } = await PartitionUnderTest.started();
  if (fails) log.faults.failNextAppend();
  const release = log.faults.holdAppends();
  const happened: string[] = [];
  const ended = new Promise<void>((resolve) => {
    partition.submit({
      commandCount: 1,
      sizeBytes: 1,
      recordBytes: 100,
      decide: (turn) => {
        turn.event('journal.LineWritten', 1, Buffer.from('a task'));
        turn.whenDurable(() => happened.push('handed out'));
      },
      settle: () => {
        happened.push('answered');
        resolve();
      },
      fail: () => {
        happened.push('failed');
        resolve();
      },
    });
  });
  await log.faults.whenHeld(1);
  expect(happened).toEqual([]);
  release();
  await ended;
  await rounds();
  expect(happened).toEqual(happens);
});

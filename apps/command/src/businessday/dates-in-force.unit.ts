/** An answer waits for the dates of a branch until they are in force, its caller stops waiting, or the partition is given up. */
import { newBranch, type Branch } from '@sluice/domain/businessday';
import { ManualClock } from '@sluice/memory';
import { businessdaypb } from '@sluice/protocol/businessday';
import type { CommandContext } from '../command-capability';
import type { CompleteReply } from '../methods/reply-completion';
import { DatesInForce } from './dates-in-force';

type Arguments = Parameters<CompleteReply>;

function waiting(command: object) {
  const clock = new ManualClock();
  const dates = new DatesInForce(clock);
  let branch: Branch = { ...newBranch('north'), onlineDate: 20_000, batchDate: 20_000 };
  const owned = { state: 'serving', durableSequence: 7, stateOf: () => ({ stateOf: () => branch, sequenceOf: () => 7 }) };
  dates.runOn({ engine: { partition: () => owned } } as unknown as CommandContext);
  const controller = new AbortController();
  const request = { key: { text: 'north' }, command } as unknown as Arguments[0];
  const reply = businessdaypb.CutDayResponse.encode(businessdaypb.CutDayResponse.fromPartial({ day: { runId: 'north/2024-10-04' } })).finish();
  const answer = dates.awaited(request, reply, 3, { signal: controller.signal });
  const set = (changes: Partial<Branch>): void => {
    branch = { ...branch, ...changes };
    dates.inForce('north');
  };
  return { clock, owned, controller, answer, set };
}

test('it is told when the dates are in force, and says of which commit that is', async () => {
  const { answer, set } = waiting({ kind: 'register' });
  set({ inForce: true });
  const { reply, sequences } = await answer;
  expect(businessdaypb.CutDayResponse.decode(reply).day?.onlineDate).toBe('2024-10-04');
  expect([...sequences]).toEqual([[3, 7]]);
});

test.each`
  asks                              | date
  ${'the cut of a date'}            | ${20_000}
  ${'the cut of the date in force'} | ${undefined}
`('$asks waits for the next online date', async ({ date }) => {
  const { answer, set } = waiting({ kind: 'cut', date });
  const run = { date: 20_000, steps: [{ kind: 'CUT' }], step: 0, partitions: [], paused: false } as unknown as NonNullable<Branch['run']>;
  set({ inForce: true, run });
  let isAnswered = false;
  void answer.then(() => (isAnswered = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(isAnswered).toBe(false);
  set({ onlineDate: 20_001 });
  expect(businessdaypb.CutDayResponse.decode((await answer).reply).day?.onlineDate).toBe('2024-10-05');
});

test('a caller that stops waiting is told so', async () => {
  const { controller, answer } = waiting({ kind: 'register' });
  controller.abort(new Error('its time is over'));
  await expect(answer).rejects.toThrow('its time is over');
});

test('a partition that was given up answers nothing', async () => {
  const { clock, owned, answer } = waiting({ kind: 'register' });
  owned.state = 'stopped';
  const refused = expect(answer).rejects.toMatchObject({ reason: 'PARTITION_UNAVAILABLE' });
  await clock.elapse(1_000);
  await refused;
});

/**
 * Whatever is asked in whatever order, with repeats, bodies that differ, restarts, snapshots, crashes and lost turns: each request id of an
 * aggregate has one answer for ever, and the state is what the answers say.
 */
import * as fc from 'fast-check';
import { rounds, sorter } from '../test/partition-under-test';
import { said, TallyPartition, type TallyAnswer } from '../test/tally-partition';

afterAll(() => sorter.close());

interface Asked {
  readonly key: string;
  readonly requestId: string;
  readonly amount: number;
}

const asked: fc.Arbitrary<Asked> = fc.record({
  key: fc.constantFrom('a', 'b'),
  requestId: fc.constantFrom('1', '2', '3', '4', '5', '6', '7', '8'),
  amount: fc.constantFrom(-3, -1, 1, 2),
});

/** Submissions that come at the same time. */
const together = fc.array(fc.array(asked, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });

const step = fc.oneof(
  { weight: 6, arbitrary: together.map((submissions) => ({ kind: 'ask' as const, submissions })) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('loseTurn' as const), stored: fc.boolean(), submissions: together }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), snapshot: fc.boolean() }) },
);

/** The first final answer of each request, by aggregate and id, with its body. */
class Answers {
  private readonly first = new Map<string, { readonly amount: number; readonly answer: string }>();

  take({ key, requestId, amount }: Asked, answer: TallyAnswer): void {
    const { verdict } = answer;
    const name = `${key}/${requestId}`;
    const known = this.first.get(name);
    if (verdict.kind === 'refused') return;
    if (verdict.kind === 'reused') {
      // The first body may have been recorded in a turn whose answer was lost.
      if (known !== undefined) expect({ name, sameBody: known.amount === amount }).toEqual({ name, sameBody: false });
      return;
    }
    const text = said({ ...answer, repeated: false });
    if (known === undefined) this.first.set(name, { amount, answer: text });
    else expect({ name, amount, text, repeated: answer.repeated }).toEqual({ name, amount: known.amount, text: known.answer, repeated: true });
  }

  /** What accepted requests added up to. */
  count(key: string): number {
    let sum = 0;
    for (const [name, { amount, answer }] of this.first) if (name.startsWith(`${key}/`) && !answer.startsWith('BELOW_ZERO')) sum += amount;
    return sum;
  }
}

async function ask(partition: TallyPartition, answers: Answers, submissions: readonly (readonly Asked[])[]): Promise<void> {
  const given = await Promise.all(submissions.map((requests) => partition.ask(...requests.map((request) => ['Add', request] as const))));
  given.forEach((list, at) => {
    list.forEach((answer, position) => {
      answers.take(submissions[at]?.[position] as Asked, answer);
    });
  });
}

test('each request id has one answer for ever', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
      const answers = new Answers();
      const everAsked: Asked[] = [];
      // Snapshots after nearly every turn, so that they are taken while turns go on.
      const limits = { snapshotBytes: 300 };
      let partition = await TallyPartition.started({ limits });
      for (const one of steps) {
        if (one.kind === 'restart') {
          await partition.under.partition.stop({ snapshot: one.snapshot });
          partition = await partition.next({ limits });
          continue;
        }
        everAsked.push(...one.submissions.flat());
        if (one.kind === 'loseTurn') {
          if (one.stored) partition.under.log.faults.failNextAppendAfterStoring();
          else partition.under.log.faults.failNextAppend();
        }
        await ask(partition, answers, one.submissions);
        await partition.under.untilLoaded();
      }
      // A fault that was ordered and not met yet must not meet what comes now.
      partition = await partition.next({ limits });
      for (const request of everAsked) await ask(partition, answers, [[request]]);
      for (const key of ['a', 'b']) expect([key, partition.count(key)]).toEqual([key, answers.count(key)]);
      await partition.under.partition.stop({ snapshot: false });
      await rounds(1);
    }),
    { numRuns: 60 },
  );
});

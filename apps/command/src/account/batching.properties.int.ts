/**
 * Any batching of the same requests gives the same answers and the same balances: sent one by one, in batches, at the same time, in one turn or
 * many, with restarts and crashes between, with ids that have left memory long ago.
 */
import * as fc from 'fast-check';
import { type accountpb } from '@sluice/protocol/account';
import { CommandUnderTest, posting, verdictOf } from '../test/command-under-test';

afterAll(() => CommandUnderTest.stopAll());

const ACCOUNTS = ['hot', 'cold', '{pair}-1', '{pair}-2', 'limited', 'unknown'];
const amount = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: 1n, max: 120n }) },
  { weight: 1, arbitrary: fc.constantFrom(0n, -1n, (1n << 62n) + 1n, (1n << 63n) - 1n, 1n << 48n) },
);

const request = fc.record({
  type: fc.constantFrom<'CREDIT' | 'DEBIT' | 'HOLD' | 'CAPTURE' | 'RELEASE'>('CREDIT', 'CREDIT', 'DEBIT', 'HOLD', 'CAPTURE', 'RELEASE'),
  account: fc.constantFrom(...ACCOUNTS),
  /** Few ids: many come twice, with the same body or another one. */
  id: fc.integer({ min: 1, max: 25 }),
  amount,
  hold: fc.integer({ min: 1, max: 25 }),
  final: fc.boolean(),
  unit: fc.oneof({ weight: 9, arbitrary: fc.constant('EUR') }, { weight: 1, arbitrary: fc.constant('USD') }),
});
type Request = typeof request extends fc.Arbitrary<infer Value> ? Value : never;

function toPosting({ type, account, id, amount: amountMinor, hold, final, unit }: Request): Partial<accountpb.Posting> {
  const needsHold = type === 'CAPTURE' || type === 'RELEASE';
  return posting(type, `r${id}`, amountMinor, { accountId: account, unit, final, holdId: needsHold ? `r${hold}` : '' });
}

interface Answer {
  readonly verdict: string;
  readonly balance: bigint;
  readonly held: bigint;
  readonly entry: bigint;
}

function toAnswer(result: accountpb.PostingResult | undefined): Answer {
  return { verdict: verdictOf(result), balance: result?.balanceAfterMinor ?? 0n, held: result?.heldAfterMinor ?? 0n, entry: result?.entryNumber ?? 0n };
}

/** How a run of requests travels: together in one call or as calls of their own at the same time; and what happens before. */
const cut = fc.record({
  length: fc.integer({ min: 1, max: 30 }),
  way: fc.constantFrom<'batch' | 'calls'>('batch', 'calls'),
  before: fc.constantFrom<'nothing' | 'restart' | 'crash' | 'time'>(...Array<'nothing'>(12).fill('nothing'), 'restart', 'crash', 'time'),
});
type Cut = typeof cut extends fc.Arbitrary<infer Value> ? Value : never;

const LIMITS = { overdraftMinor: 50n, maximumBalanceMinor: 300n, maximumPostingMinor: 100n, allowedTypes: [1, 2, 3, 4] };

async function started(limits: object): Promise<CommandUnderTest> {
  const command = await CommandUnderTest.start({ partitions: 3, limits });
  for (const accountId of ACCOUNTS.slice(0, -1)) await command.open({ accountId, ...(accountId === 'limited' ? { limits: LIMITS } : {}) });
  return command;
}

async function play(command: CommandUnderTest, requests: readonly Request[], cuts: readonly Cut[]): Promise<Answer[]> {
  const answers: Answer[] = [];
  for (let at = 0, turn = 0; at < requests.length; turn += 1) {
    const { length, way, before } = cuts[turn % cuts.length] as Cut;
    if (before === 'restart') await command.restart();
    else if (before === 'crash') await command.crash();
    else if (before === 'time') await command.clock.elapse(500);
    const part = requests.slice(at, at + length).map(toPosting);
    at += part.length;
    if (way === 'batch') answers.push(...(await command.batch(part)).results.map(toAnswer));
    else answers.push(...(await Promise.all(part.map((one) => command.batch([one])))).map(({ results }) => toAnswer(results[0])));
  }
  return answers;
}

test('the same answers and balances, however the requests travel', async () => {
  const oneByOne: Cut[] = [{ length: 1, way: 'batch', before: 'nothing' }];
  await fc.assert(
    fc.asyncProperty(fc.array(request, { minLength: 20, maxLength: 120 }), fc.array(cut, { minLength: 1, maxLength: 8 }), async (requests, cuts) => {
      const expected = await play(await started({}), requests, oneByOne);
      for (const limits of [{}, { snapshotBytes: 1, recentBytes: 1, turnCommands: 7 }]) {
        const command = await started(limits);
        expect(await play(command, requests, cuts)).toEqual(expected);
        expectOnce(command);
        expect(command.troubles).toEqual([]);
        await command.stop();
      }
    }),
    { numRuns: 30 },
  );
});

/** No request is in the log twice, and every record continues the one before it. */
function expectOnce(command: CommandUnderTest): void {
  const seen = new Set<string>();
  const balances = new Map<string, bigint>();
  for (const {
    accountId,
    requests,
    balanceBeforeMinor,
    balanceAfterMinor,
    totalCreditMinor,
    totalDebitMinor,
    balancesAfterMinor,
    acceptedCount,
    rejectedCount,
  } of command.recorded()) {
    expect(balanceBeforeMinor).toBe(balances.get(accountId) ?? 0n);
    expect(balanceBeforeMinor + totalCreditMinor - totalDebitMinor).toBe(balanceAfterMinor);
    expect(balancesAfterMinor.at(-1)).toBe(balanceAfterMinor);
    expect(balancesAfterMinor.length).toBe(acceptedCount + rejectedCount);
    balances.set(accountId, balanceAfterMinor);
    for (const { requestId } of requests?.postings ?? []) {
      const key = `${accountId} ${requestId}`;
      expect(seen.has(key)).toBe(false);
      seen.add(key);
    }
  }
}

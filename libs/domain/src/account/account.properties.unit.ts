/**
 * What must hold of every history, whatever is asked: histories are drawn at random, with amounts near the edges of int64
 * and limits that change on the way.
 */
import fc from 'fast-check';
import { availableMinor, INT64_MAX, INT64_MIN, NO_LIMITS, POSTING_TYPES, type Account, type AccountLimits } from './account';
import { decideAccount, evolveAccount, type AccountCommand } from './lifecycle';
import { applyPosting, decidePosting, evolvePostings, type Posting, type PostingsSummary } from './posting';

type Step = { readonly kind: 'posting'; readonly posting: Omit<Posting, 'requestId'> } | { readonly kind: 'command'; readonly command: AccountCommand };

interface Taken {
  readonly posting: Posting;
  readonly balanceAfterMinor: bigint;
}

const amount = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: 1n, max: 100n }) },
  { weight: 1, arbitrary: fc.bigInt({ min: INT64_MAX - 100n, max: INT64_MAX }) },
  { weight: 1, arbitrary: fc.bigInt({ min: 1n, max: INT64_MAX }) },
  { weight: 1, arbitrary: fc.constant(0n) },
);
const posting = fc.record({
  type: fc.constantFrom(...POSTING_TYPES),
  amountMinor: amount,
  unit: fc.oneof({ weight: 20, arbitrary: fc.constant('EUR') }, { weight: 1, arbitrary: fc.constant('USD') }),
  // Request ids are r0, r1, …: small numbers hit holds that stand.
  holdId: fc.nat({ max: 30 }).map((index) => `r${index}`),
  final: fc.boolean(),
});
const limits: fc.Arbitrary<AccountLimits> = fc.record({
  overdraftMinor: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 200n }), fc.constant(INT64_MAX)),
  maximumBalanceMinor: fc.option(fc.bigInt({ min: 0n, max: 1_000n }), { nil: undefined }),
  maximumPostingMinor: fc.option(fc.bigInt({ min: 50n, max: 1_000n }), { nil: undefined }),
  allowedTypes: fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: fc.subarray([...POSTING_TYPES]) }),
});
const postings = (maxLength: number): fc.Arbitrary<Step[]> =>
  fc.array(
    posting.map((each): Step => ({ kind: 'posting', posting: each })),
    { maxLength },
  );
const steps = fc.array(
  fc.oneof(
    { weight: 20, arbitrary: posting.map((each): Step => ({ kind: 'posting', posting: each })) },
    { weight: 1, arbitrary: limits.map((changed): Step => ({ kind: 'command', command: { kind: 'update', limits: changed } })) },
    { weight: 1, arbitrary: fc.constantFrom<Step>({ kind: 'command', command: { kind: 'freeze', note: '' } }) },
    { weight: 2, arbitrary: fc.constantFrom<Step>({ kind: 'command', command: { kind: 'unfreeze', note: '' } }) },
  ),
  { maxLength: 80 },
);

function openAccount(given: AccountLimits = NO_LIMITS): Account {
  return evolveAccount(undefined, { kind: 'opened', accountId: 'a', unit: 'EUR', branchId: '', product: '', limits: given, signingKeyId: '' }, 1);
}

/** Runs the steps against the account and returns what was accepted; `after` looks at the account after every step. */
function run(account: Account, history: readonly Step[], after: (account: Account) => void = () => {}, firstRequest = 0): Taken[] {
  const taken: Taken[] = [];
  history.forEach((step, index) => {
    if (step.kind === 'command') {
      const decision = decideAccount(account, step.command);
      if (decision.accepted) evolveAccount(account, decision.event, index + 2);
    } else {
      const asked = { ...step.posting, requestId: `r${firstRequest + index}` };
      const decision = decidePosting(account, asked, true);
      if (decision.accepted) {
        applyPosting(account, decision, index + 2);
        taken.push({ posting: asked, balanceAfterMinor: decision.balanceAfterMinor });
      }
    }
    after(account);
  });
  return taken;
}

function effectMinor({ type, amountMinor }: Posting): bigint {
  if (type === 'CREDIT') return amountMinor;
  return type === 'DEBIT' || type === 'CAPTURE' ? -amountMinor : 0n;
}

const sum = (amounts: Iterable<bigint>): bigint => [...amounts].reduce((total, each) => total + each, 0n);

test('the balance is the fold of the entries, and every entry says the balance after it', () => {
  fc.assert(
    fc.property(limits, steps, (given, history) => {
      const account = openAccount(given);
      let balanceMinor = 0n;
      const taken = run(account, history);
      for (const entry of taken) {
        balanceMinor += effectMinor(entry.posting);
        expect(entry.balanceAfterMinor).toBe(balanceMinor);
      }
      expect(account.balanceMinor).toBe(balanceMinor);
      expect(account.entryCount).toBe(taken.length);
    }),
  );
});

test('over many accounts the sum of the balances is credits minus debits', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(limits, steps), { minLength: 1, maxLength: 5 }), (histories) => {
      const accounts = histories.map(([given, history]) => {
        const account = openAccount(given);
        return { account, taken: run(account, history) };
      });
      const all = accounts.flatMap(({ taken }) => taken.map((entry) => entry.posting));
      const credits = sum(all.filter((each) => each.type === 'CREDIT').map((each) => each.amountMinor));
      const debits = sum(all.filter((each) => each.type === 'DEBIT' || each.type === 'CAPTURE').map((each) => each.amountMinor));
      expect(sum(accounts.map(({ account }) => account.balanceMinor))).toBe(credits - debits);
    }),
    { numRuns: 50 },
  );
});

test('at every moment the held amount is the sum of what is left of the holds, and nothing leaves int64', () => {
  fc.assert(
    fc.property(limits, steps, (given, history) => {
      run(openAccount(given), history, (account) => {
        expect(account.heldMinor).toBe(sum(account.holds.values()));
        for (const remaining of account.holds.values()) expect(remaining > 0n).toBe(true);
        for (const amountMinor of [account.balanceMinor, account.heldMinor, availableMinor(account)]) {
          expect(amountMinor >= INT64_MIN && amountMinor <= INT64_MAX).toBe(true);
        }
      });
    }),
  );
});

test('while the limits stand, no posting leads below the overdraft or above the maximum', () => {
  fc.assert(
    fc.property(limits, postings(80), (given, history) => {
      run(openAccount(given), history, (account) => {
        expect(account.balanceMinor >= -given.overdraftMinor).toBe(true);
        expect(account.balanceMinor - account.heldMinor + given.overdraftMinor >= 0n).toBe(true);
        if (given.maximumBalanceMinor !== undefined) expect(account.balanceMinor <= given.maximumBalanceMinor).toBe(true);
      });
    }),
  );
});

test('a decision changes nothing, and the same question has the same answer', () => {
  fc.assert(
    fc.property(limits, steps, posting, fc.boolean(), (given, history, asked, signatureValid) => {
      const account = openAccount(given);
      run(account, history);
      const before = structuredClone(account);
      const question = { ...asked, requestId: 'question' };
      const answer = decidePosting(account, question, signatureValid);
      expect(account).toEqual(before);
      expect(decidePosting(account, question, signatureValid)).toEqual(answer);
    }),
  );
});

test('evolving by the summary of a turn is the same as applying its accepted postings one by one', () => {
  fc.assert(
    fc.property(limits, steps, postings(40), (given, history, turn) => {
      const account = openAccount(given);
      run(account, history);
      const replayed = structuredClone(account);
      const committedAtUs = 1_000;
      const changedHolds = new Map<string, bigint>();
      let acceptedCount = 0;
      let rejectedCount = 0;
      let totalDebitMinor = 0n;
      let totalCreditMinor = 0n;
      turn.forEach((step, index) => {
        if (step.kind !== 'posting') return;
        const asked = { ...step.posting, requestId: `r${history.length + index}` };
        const decision = decidePosting(account, asked, true);
        if (!decision.accepted) {
          rejectedCount += 1;
          account.rejectionCount += 1;
          return;
        }
        applyPosting(account, decision, committedAtUs);
        acceptedCount += 1;
        const effect = effectMinor(asked);
        if (effect > 0n) totalCreditMinor += effect;
        else totalDebitMinor -= effect;
        if (decision.holdId !== undefined) changedHolds.set(decision.holdId, decision.holdRemainingMinor ?? 0n);
      });
      const summary: PostingsSummary = {
        balanceBeforeMinor: replayed.balanceMinor,
        balanceAfterMinor: account.balanceMinor,
        heldBeforeMinor: replayed.heldMinor,
        heldAfterMinor: account.heldMinor,
        totalDebitMinor,
        totalCreditMinor,
        entriesBefore: replayed.entryCount,
        acceptedCount,
        rejectedCount,
        version: account.version,
        changedHolds: [...changedHolds].map(([holdId, remainingMinor]) => ({ holdId, remainingMinor })),
      };
      evolvePostings(replayed, summary, committedAtUs);
      expect(replayed).toEqual(account);
      expect([...replayed.holds]).toEqual([...account.holds]);
    }),
    { numRuns: 300 },
  );
});

test('a final capture gives the rest of the hold back: the available amount falls by what was captured and rises by the rest', () => {
  fc.assert(
    fc.property(fc.bigInt({ min: 1n, max: 1_000n }), fc.bigInt({ min: 1n, max: 1_000n }), (held, captured) => {
      fc.pre(captured <= held);
      const account = openAccount();
      const base = { unit: 'EUR', holdId: 'hold', final: true };
      run(account, [{ kind: 'posting', posting: { ...base, type: 'CREDIT', amountMinor: 2_000n } }]);
      const decision = decidePosting(account, { ...base, requestId: 'hold', type: 'HOLD', amountMinor: held }, true);
      if (decision.accepted) applyPosting(account, decision, 2);
      expect(availableMinor(account)).toBe(2_000n - held);
      const capture = decidePosting(account, { ...base, requestId: 'capture', type: 'CAPTURE', amountMinor: captured }, true);
      if (capture.accepted) applyPosting(account, capture, 3);
      expect(account).toMatchObject({ balanceMinor: 2_000n - captured, heldMinor: 0n });
      expect(account.holds.size).toBe(0);
      expect(availableMinor(account)).toBe(2_000n - captured);
    }),
  );
});

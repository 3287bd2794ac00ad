/** Funds that a capability holds on an account: what callers and the account itself may do meanwhile, and how the hold ends. */
import fc from 'fast-check';
import type { InternalVerdict } from '@sluice/engine';
import { logpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { AccountsOfPartitions } from '../test/accounts-of-partitions';
import { engineMadeId } from './engine-made-id';

const { POSTING_TYPE_CREDIT, POSTING_TYPE_DEBIT, POSTING_TYPE_HOLD, POSTING_TYPE_CAPTURE, POSTING_TYPE_RELEASE } = accountpb.PostingType;
const PAYER = 'payer';
type FundsCommand = 'HoldFunds' | 'CaptureFunds' | 'ReleaseFunds' | 'SettleFunds';

class Payer {
  readonly accounts = new AccountsOfPartitions(1);
  private requests = 0;

  constructor(balanceMinor = 100n, opening: Partial<accountpb.AccountOpening> = {}) {
    expect(this.accounts.open(PAYER, opening)).toBe('accepted');
    if (balanceMinor > 0n) expect(this.post(POSTING_TYPE_CREDIT, balanceMinor)).toBe('accepted');
  }

  post(type: accountpb.PostingType, amountMinor: bigint, rest: Partial<accountpb.Posting> = {}): string {
    this.requests += 1;
    return this.accounts.post({ requestId: `request ${this.requests}`, accountId: PAYER, type, amountMinor, ...rest });
  }

  /** What the account says to the capability: accepted, the reason of a rejection, or why it cannot be decided. */
  ask(method: FundsCommand, amountMinor: bigint, rest: Partial<logpb.SettleFunds> = {}): string {
    const message = logpb.SettleFunds.fromPartial({ requestId: 'n1', accountId: PAYER, amountMinor, unit: 'EUR', counterparty: 'n1', ...rest });
    const bytes = method === 'SettleFunds' ? logpb.SettleFunds.encode(message).finish() : logpb[method].encode({ ...message }).finish();
    return said(this.accounts.internal(0, { capability: 'account', method, key: PAYER, payload: bytes, id: 'd', origin: 'delivery' })[0]);
  }

  get amounts(): bigint[] {
    const { balanceMinor, heldMinor, inTransitMinor } = this.accounts.account(PAYER);
    return [balanceMinor, heldMinor, inTransitMinor];
  }

  get postings(): accountpb.Posting[] {
    return this.accounts.commits
      .flatMap((commits) => commits.flatMap(({ events }) => events))
      .filter(({ type }) => type === 'account.PostingsRecorded')
      .flatMap(({ payload }) => accountpb.PostingsRecorded.decode(payload).accounts.flatMap(({ requests }) => requests?.postings ?? []));
  }
}

function said(verdict: InternalVerdict | undefined): string {
  return verdict === undefined || verdict.kind === 'accepted' ? String(verdict?.kind) : verdict.reason;
}

test('funds are held, then released or captured and settled, and each is an entry', () => {
  const payer = new Payer();
  expect(payer.ask('HoldFunds', 40n)).toBe('accepted');
  expect(payer.amounts).toEqual([100n, 40n, 0n]);
  expect(payer.ask('ReleaseFunds', 40n)).toBe('accepted');
  expect(payer.amounts).toEqual([100n, 0n, 0n]);
  expect(payer.ask('HoldFunds', 100n, { requestId: 'n2' })).toBe('accepted');
  expect(payer.ask('CaptureFunds', 100n, { requestId: 'n2' })).toBe('accepted');
  expect(payer.amounts).toEqual([0n, 0n, 100n]);
  expect(payer.ask('SettleFunds', 100n, { requestId: 'n2', returnedMinor: 25n })).toBe('accepted');
  expect(payer.amounts).toEqual([25n, 0n, 0n]);
  const entries = payer.postings.slice(1).map(({ type, requestId, holdId, amountMinor, funds, final }) => [type, requestId, holdId, amountMinor, funds, final]);
  expect(entries).toEqual([
    [POSTING_TYPE_HOLD, engineMadeId('n1'), '', 40n, true, false],
    [POSTING_TYPE_RELEASE, 'n1', engineMadeId('n1'), 40n, true, false],
    [POSTING_TYPE_HOLD, engineMadeId('n2'), '', 100n, true, false],
    [POSTING_TYPE_CAPTURE, 'n2', engineMadeId('n2'), 100n, true, true],
    [POSTING_TYPE_CREDIT, 'n2', '', 25n, true, false],
  ]);
});

test('a request of a caller neither meets the hold nor names it', () => {
  const payer = new Payer();
  expect(payer.ask('HoldFunds', 40n)).toBe('accepted');
  expect(payer.post(POSTING_TYPE_HOLD, 10n, { requestId: 'n1' })).toBe('accepted');
  for (const type of [POSTING_TYPE_CAPTURE, POSTING_TYPE_RELEASE]) {
    expect(payer.post(type, 1n, { holdId: engineMadeId('n1') })).toBe('INVALID_REQUEST');
    expect(payer.post(type, 1n, { holdId: engineMadeId('n1').slice(0, 128) })).toBe('HOLD_NOT_FOUND');
  }
  expect(payer.post(POSTING_TYPE_HOLD, 1n, { requestId: engineMadeId('n1') })).toBe('INVALID_REQUEST');
  expect(payer.amounts).toEqual([100n, 50n, 0n]);
});

test('ids of holds differ where their names do, and are longer than an id of a caller', () => {
  const name = fc.string({ unit: fc.constantFrom('a', '-', '/', 'ü'), minLength: 1, maxLength: 64 });
  fc.assert(
    fc.property(name, name, (left, right) => {
      expect(Buffer.byteLength(engineMadeId(left))).toBe(129);
      expect(engineMadeId(left) === engineMadeId(right)).toBe(left === right);
    }),
  );
});

test('the account is not closed while funds are held or in transit', () => {
  const payer = new Payer(40n);
  expect(payer.ask('HoldFunds', 40n)).toBe('accepted');
  expect(payer.accounts.change('close', PAYER)).toBe('HOLDS_OPEN');
  expect(payer.ask('CaptureFunds', 40n)).toBe('accepted');
  expect(payer.accounts.change('close', PAYER)).toBe('TRANSFERS_PENDING');
  expect(payer.ask('SettleFunds', 40n)).toBe('accepted');
  expect(payer.accounts.change('close', PAYER)).toBe('accepted');
});

test.each(['CaptureFunds', 'ReleaseFunds'] as const)('%s passes a freeze, allowed types and limits', (method) => {
  const payer = new Payer();
  expect(payer.ask('HoldFunds', 40n)).toBe('accepted');
  payer.accounts.update(PAYER, { overdraftMinor: 0n, allowedTypes: [POSTING_TYPE_DEBIT], maximumPostingMinor: 1n });
  payer.accounts.change('freeze', PAYER);
  expect(payer.ask(method, 40n)).toBe('accepted');
  expect(payer.accounts.account(PAYER).heldMinor).toBe(0n);
});

test.each`
  what                              | opening                                                                    | asked                      | reason
  ${'an account that is not there'} | ${{}}                                                                      | ${{ accountId: 'nobody' }} | ${'ACCOUNT_NOT_FOUND'}
  ${'another unit'}                 | ${{}}                                                                      | ${{ unit: 'USD' }}         | ${'UNIT_MISMATCH'}
  ${'a type that is not allowed'}   | ${{ limits: { overdraftMinor: 0n, allowedTypes: [POSTING_TYPE_CREDIT] } }} | ${{}}                      | ${'TYPE_NOT_ALLOWED'}
  ${'more than is there'}           | ${{}}                                                                      | ${{ amountMinor: 1n }}     | ${'INSUFFICIENT_FUNDS'}
`('$what is refused with $reason, and nothing is held', ({ opening, asked, reason }) => {
  const payer = new Payer(0n, opening);
  expect(payer.ask('HoldFunds', 40n, asked)).toBe(reason);
  expect(payer.amounts).toEqual([0n, 0n, 0n]);
});

test('an account whose postings are signed refuses: the capability has no key', () => {
  const payer = new Payer();
  payer.accounts.account(PAYER).signingKeyId = 'key';
  expect(payer.ask('HoldFunds', 40n)).toBe('SIGNATURE_INVALID');
});

test('bytes that are no message are undecidable', () => {
  const payer = new Payer();
  const command = { capability: 'account', key: PAYER, payload: Buffer.from([0xff]), id: 'd', origin: 'delivery' as const };
  for (const method of ['HoldFunds', 'CaptureFunds', 'ReleaseFunds'])
    expect(payer.accounts.internal(0, { ...command, method })).toEqual([{ kind: 'undecidable', reason: `the message of ${method} cannot be read` }]);
});

const stepArbitrary = fc.record({
  kind: fc.constantFrom('hold', 'end', 'callerHold', 'callerRelease', 'debit', 'credit'),
  at: fc.nat({ max: 7 }),
  amountMinor: fc.bigInt({ min: 1n, max: 60n }),
  capture: fc.boolean(),
});

test('what is held is what callers and capabilities hold, and the log and a snapshot say so, too', () => {
  fc.assert(
    fc.property(fc.array(stepArbitrary, { maxLength: 40 }), (steps) => {
      const payer = new Payer();
      const funds = new Map<string, bigint>();
      const used = new Set<string>();
      let inTransit = 0n;
      for (const { kind, at, amountMinor, capture } of steps) {
        const requestId = `n${at}`;
        const held = funds.get(requestId);
        if (kind === 'hold' && !used.has(requestId)) {
          if (payer.ask('HoldFunds', amountMinor, { requestId }) === 'accepted') funds.set(requestId, amountMinor);
          if (funds.has(requestId)) used.add(requestId);
        } else if (kind === 'end' && held !== undefined) {
          expect(payer.ask(capture ? 'CaptureFunds' : 'ReleaseFunds', held, { requestId })).toBe('accepted');
          funds.delete(requestId);
          if (capture) inTransit += held;
        } else if (kind === 'callerHold' && !used.has(`caller's ${at}`)) {
          if (payer.post(POSTING_TYPE_HOLD, amountMinor, { requestId: `caller's ${at}` }) === 'accepted') used.add(`caller's ${at}`);
        } else if (kind === 'callerRelease') payer.post(POSTING_TYPE_RELEASE, amountMinor, { holdId: `caller's ${at}` });
        else if (kind === 'debit') payer.post(POSTING_TYPE_DEBIT, amountMinor);
        else if (kind === 'credit') payer.post(POSTING_TYPE_CREDIT, amountMinor);
      }
      const check = () => {
        const { holds, heldMinor, inTransitMinor, balanceMinor } = payer.accounts.account(PAYER);
        for (const [requestId, amountMinor] of funds) expect(holds.get(engineMadeId(requestId))).toBe(amountMinor);
        expect([...holds.keys()].filter((holdId) => holdId.length === 129)).toHaveLength(funds.size);
        expect(heldMinor).toBe([...holds.values()].reduce((sum, each) => sum + each, 0n));
        expect(inTransitMinor).toBe(inTransit);
        expect(balanceMinor >= heldMinor).toBe(true);
      };
      check();
      payer.accounts.replayAll();
      check();
      payer.accounts.restoreAll();
      check();
    }),
    { numRuns: 100 },
  );
});

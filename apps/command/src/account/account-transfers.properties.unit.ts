/**
 * Money is conserved in every interleaving: transfers, verdicts that come late, freezes, limits and closes in between, holds that expire, and memory that is
 * read again from the log or from a snapshot at any moment. Deliveries of one pair of partitions are decided in order; different pairs overtake each other.
 */
import { ByteReader } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import * as fc from 'fast-check';
import { AccountsOfPartitions, type DeliveryUnderWay } from '../test/accounts-of-partitions';

const { POSTING_TYPE_CREDIT: CREDIT, POSTING_TYPE_HOLD: HOLD, POSTING_TYPE_CAPTURE: CAPTURE } = accountpb.PostingType;
const ACCOUNTS = 6;

type Step =
  | { readonly kind: 'transfers'; readonly from: number; readonly to: readonly number[]; readonly amount: number }
  | { readonly kind: 'hold' | 'capture'; readonly account: number; readonly amount: number }
  | { readonly kind: 'deliver' | 'settle' | 'fire'; readonly pick: number }
  | { readonly kind: 'freeze' | 'unfreeze' | 'close'; readonly account: number }
  | { readonly kind: 'limit'; readonly account: number; readonly maximum: number | undefined }
  | { readonly kind: 'replay' | 'restore' };

const account = fc.nat({ max: ACCOUNTS - 1 });
const amount = fc.integer({ min: 1, max: 120 });
const pick = fc.nat({ max: 50 });
const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({ kind: fc.constant('transfers' as const), from: account, to: fc.array(account, { minLength: 1, maxLength: 4 }), amount }),
    },
    { weight: 5, arbitrary: fc.record({ kind: fc.constantFrom('deliver' as const, 'settle' as const), pick }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('hold' as const, 'capture' as const), account, amount }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('fire' as const), pick }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('freeze' as const, 'unfreeze' as const, 'close' as const), account }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('limit' as const), account, maximum: fc.option(fc.nat({ max: 150 }), { nil: undefined }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('replay' as const, 'restore' as const) }) },
  ),
  { minLength: 10, maxLength: 60 },
);

class World {
  readonly accounts = new AccountsOfPartitions(3);
  readonly ids: readonly string[];
  private requests = 0;
  captured = 0n;

  constructor() {
    this.ids = Array.from({ length: ACCOUNTS }, (_, at) => this.accounts.idIn(at % 3, `account-${at}`));
    for (const accountId of this.ids) {
      this.accounts.open(accountId);
      this.accounts.post({ requestId: 'funds', accountId, type: CREDIT, amountMinor: 100n });
    }
  }

  run(step: Step): void {
    const { accounts, ids } = this;
    this.requests += 1;
    const requestId = `r${this.requests}`;
    switch (step.kind) {
      case 'transfers':
        accounts.transfers(
          step.to.map((to, at) => ({ requestId: `${requestId}-${at}`, fromAccountId: ids[step.from], toAccountId: ids[to], amountMinor: BigInt(step.amount) })),
        );
        return;
      case 'hold':
        accounts.post({ requestId: `hold ${step.account}`, accountId: ids[step.account], type: HOLD, amountMinor: BigInt(step.amount), expiresAfterMs: 10n });
        return;
      case 'capture': {
        const capture = { requestId, accountId: ids[step.account], type: CAPTURE, amountMinor: BigInt(step.amount), holdId: `hold ${step.account}` };
        if (accounts.post(capture) === 'accepted') this.captured += capture.amountMinor;
        return;
      }
      case 'deliver': {
        const delivery = this.oldest(step.pick, ({ verdict }) => verdict === undefined);
        if (delivery !== undefined) accounts.deliver(delivery);
        return;
      }
      case 'settle': {
        const delivery = this.oldest(step.pick, ({ verdict }) => verdict !== undefined);
        if (delivery !== undefined) accounts.settle(delivery);
        return;
      }
      case 'fire': {
        const timers = [...accounts.timers.values()];
        if (timers.length > 0) accounts.fire(timers[step.pick % timers.length] as (typeof timers)[number]);
        return;
      }
      case 'freeze':
      case 'unfreeze':
      case 'close':
        accounts.change(step.kind, ids[step.account] as string);
        return;
      case 'limit':
        accounts.update(ids[step.account] as string, step.maximum === undefined ? {} : { maximumBalanceMinor: BigInt(step.maximum) });
        return;
      case 'replay':
        return accounts.replayAll();
      case 'restore':
        return accounts.restoreAll();
      default:
        throw new Error(`unreachable: ${JSON.stringify(step satisfies never)}`);
    }
  }

  /** The oldest of its pair of partitions, which is the only one that can be next. */
  private oldest(at: number, fits: (delivery: DeliveryUnderWay) => boolean): DeliveryUnderWay | undefined {
    const { deliveries } = this.accounts;
    const next = deliveries.filter((delivery) => fits(delivery) && deliveries.find((other) => fits(other) && samePair(other, delivery)) === delivery);
    return next[at % next.length];
  }

  /** What is debited and in no balance: not yet credited, or refused and not yet given back. */
  inFlight(): bigint {
    return this.accounts.deliveries.filter(({ verdict }) => verdict?.kind !== 'accepted').reduce((sum, { payload }) => sum + amountOf(payload), 0n);
  }

  check(): void {
    const states = this.ids.map((accountId) => this.accounts.account(accountId));
    const balances = states.reduce((sum, { balanceMinor }) => sum + balanceMinor, 0n);
    expect(balances + this.inFlight()).toBe(BigInt(ACCOUNTS) * 100n - this.captured);
    for (const [at, state] of states.entries()) {
      const owed = this.accounts.deliveries.filter(({ owedBy }) => owedBy.key === this.ids[at]);
      expect(state.inTransitMinor).toBe(owed.reduce((sum, { payload }) => sum + amountOf(payload), 0n));
      expect([...state.holdExpiries.keys()]).toEqual([...state.holds.keys()]);
      expect(state.balanceMinor >= 0n).toBe(true);
      if (state.status === 'CLOSED') expect([state.balanceMinor, state.heldMinor, state.inTransitMinor]).toEqual([0n, 0n, 0n]);
    }
  }
}

function samePair(left: DeliveryUnderWay, right: DeliveryUnderWay): boolean {
  return left.from === right.from && left.to === right.to;
}

function amountOf(leg: Uint8Array): bigint {
  const reader = new ByteReader(leg, 0, leg.length);
  reader.varint();
  return accountpb.Posting.decode(reader.view()).amountMinor;
}

test('money is conserved in every interleaving, and every transfer ends', () => {
  fc.assert(
    fc.property(steps, (history) => {
      const world = new World();
      for (const step of history) {
        // Hold ids are used once.
        if (step.kind === 'hold' && world.accounts.commits.flat().some(({ events }) => holdRecorded(events, `hold ${step.account}`))) continue;
        world.run(step);
        world.check();
      }
      world.accounts.deliverAll();
      world.check();
      expect(world.accounts.deliveries).toEqual([]);
      for (const accountId of world.ids) expect(world.accounts.account(accountId).inTransitMinor).toBe(0n);
      world.accounts.replayAll();
      world.check();
    }),
    { numRuns: 150 },
  );
});

function holdRecorded(events: readonly { readonly type: string; readonly payload: Uint8Array }[], requestId: string): boolean {
  return events
    .filter(({ type }) => type === 'account.PostingsRecorded')
    .flatMap(({ payload }) => accountpb.PostingsRecorded.decode(payload).accounts.flatMap(({ requests }) => requests?.postings ?? []))
    .some((posting) => posting.requestId === requestId && posting.type === HOLD);
}

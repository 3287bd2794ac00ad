/** The money of one contest as its events tell it. */
import { contestpb } from '@sluice/protocol/contest';

const { RewardKind, TieRule } = contestpb;

type FundState = 'NONE' | 'ASKED' | 'REFUSED' | 'HELD' | 'SETTLED';

interface ReadReward {
  readonly amountMinor: bigint;
  /** Undefined: its account has not answered; empty: it is paid. */
  reason: string | undefined;
}

export class MoneyOfContest {
  state: FundState = 'NONE';
  heldMinor = 0n;
  returnedMinor = 0n;
  /** By account. */
  readonly rewards = new Map<string, ReadReward>();
  /** By side: what its members get together; undefined: no winner is named. */
  private wonMinor: ReadonlyMap<number, bigint> | undefined;
  private readonly owedMinor = new Map<number, bigint>();

  constructor(
    private readonly rules: contestpb.ContestRules,
    private readonly contradict: (what: string) => void,
  ) {}

  /** Something is asked for or held, and is not accounted for. */
  get isOpen(): boolean {
    return this.state === 'ASKED' || this.state === 'HELD';
  }

  get isHeld(): boolean {
    return this.state === 'HELD';
  }

  get paidMinor(): bigint {
    return [...this.rewards.values()].reduce((sum, { amountMinor, reason }) => sum + (reason === '' ? amountMinor : 0n), 0n);
  }

  private expectState(what: string, ...states: readonly FundState[]): void {
    if (!states.includes(this.state)) this.contradict(`${what} while its money is ${this.state}`);
  }

  asked({ amountMinor }: contestpb.FundAsked): void {
    this.expectState('asks its fund', 'NONE', 'REFUSED');
    this.state = 'ASKED';
    this.heldMinor = amountMinor;
  }

  held({ amountMinor }: contestpb.FundHeld): void {
    this.expectState('is given money', 'ASKED');
    if (amountMinor !== this.heldMinor) this.contradict(`is given ${amountMinor} and asked for ${this.heldMinor}`);
    this.state = 'HELD';
  }

  refused(): void {
    this.expectState('is refused money', 'ASKED');
    this.state = 'REFUSED';
  }

  won(sides: readonly number[], memberCounts: readonly number[]): void {
    const { reward, tieRule } = this.rules;
    if (reward === undefined) return;
    const parts = BigInt(tieRule === TieRule.TIE_RULE_SPLIT ? sides.length : 1);
    const isFixed = reward.kind === RewardKind.REWARD_KIND_FIXED;
    this.wonMinor = new Map(
      sides.map((side, at) => {
        if (isFixed) return [side, (reward.amountMinor * BigInt(memberCounts[side] as number)) / parts];
        return [side, reward.amountMinor / parts + (BigInt(at) < reward.amountMinor % parts ? 1n : 0n)];
      }),
    );
  }

  owed({ accountId, side, amountMinor }: contestpb.OwedReward): void {
    if (this.rewards.has(accountId)) this.contradict(`owes ${accountId} two rewards`);
    if (amountMinor < 1n) this.contradict(`owes ${accountId} a reward of ${amountMinor}`);
    this.rewards.set(accountId, { amountMinor, reason: undefined });
    this.owedMinor.set(side, (this.owedMinor.get(side) ?? 0n) + amountMinor);
  }

  rewardSettled({ accountId, amountMinor, reason }: contestpb.SettledReward): void {
    const reward = this.rewards.get(accountId);
    if (reward?.amountMinor !== amountMinor || reward.reason !== undefined) this.contradict(`settles a reward of ${accountId} that it does not owe`);
    else reward.reason = reason;
  }

  settled({ heldMinor, paidMinor, returnedMinor }: contestpb.FundSettled): void {
    this.expectState('is settled', 'HELD');
    this.state = 'SETTLED';
    this.returnedMinor = returnedMinor;
    if (heldMinor !== this.heldMinor || paidMinor !== this.paidMinor || heldMinor !== paidMinor + returnedMinor)
      this.contradict(`held ${this.heldMinor} and paid ${this.paidMinor}; it says ${heldMinor} held, ${paidMinor} paid, ${returnedMinor} returned`);
    for (const [accountId, { reason }] of this.rewards) if (reason === undefined) this.contradict(`is settled and owes ${accountId} a reward`);
    const told = [...this.owedMinor].map(([side, owed]) => `${side}: ${owed}`).sort();
    const expected = [...(this.wonMinor ?? [])].map(([side, won]) => `${side}: ${won}`).sort();
    if (String(told) !== String(expected)) this.contradict(`owes its sides [${String(told)}]; its rules say [${String(expected)}]`);
  }
}

export function withMost(points: readonly bigint[], sides: readonly number[]): number[] {
  const most = sides.reduce((largest, side) => ((points[side] as bigint) > largest ? (points[side] as bigint) : largest), 0n);
  return sides.filter((side) => points[side] === most);
}

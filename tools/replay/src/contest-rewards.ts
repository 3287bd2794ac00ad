/** The fund of the contests and the accounts of their members: opened before, and compared with the files afterwards. */
import type { PostingInput, SluiceClient } from '@sluice/client';
import { fundAccount, REWARD_MINOR, UNIT, type FootballContest } from './football-contest';

const LOOK_MS = 250;
const MAXIMUM_LOOKS = 20;
const CALL = { deadlineMs: 120_000 };

export class ContestRewards {
  private readonly fund: string;

  constructor(
    private readonly client: SluiceClient,
    namespace: string,
    private readonly contests: readonly FootballContest[],
  ) {
    this.fund = fundAccount(namespace);
  }

  /** The fund can pay whatever side wins, all contests at once. */
  private get fundsMinor(): bigint {
    return this.contests.reduce((sum, { input }) => sum + REWARD_MINOR * BigInt(Math.max(...input.sides.map(({ accountIds }) => accountIds.length))), 0n);
  }

  async prepare(): Promise<void> {
    const openings = [this.fund, ...this.members()].map((accountId) => ({ accountId, unit: UNIT, requestId: 'open' }));
    for (const { error } of await this.client.accounts.openMany(openings, CALL)) if (error !== undefined) throw error;
    const funds: PostingInput = { accountId: this.fund, type: 'CREDIT', amountMinor: this.fundsMinor, unit: UNIT, requestId: 'funds', channel: 'replay' };
    await this.client.accounts.post(funds, CALL);
  }

  /** Reads until every account is as the files say, or for some seconds: the read store follows the rewards. Resolves with what is otherwise. */
  async compare(): Promise<string[]> {
    for (let looks = 1; ; looks += 1) {
      const wrong = await this.compareOnce();
      if (wrong.length === 0 || looks === MAXIMUM_LOOKS) return wrong;
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** Every account has a reward, and an entry, for each contest that it won; the fund has the rest. Resolves with what is otherwise. */
  private async compareOnce(): Promise<string[]> {
    const wins = new Map([...this.members()].map((accountId) => [accountId, 0n]));
    for (const { winners } of this.contests) for (const accountId of winners) wins.set(accountId, (wins.get(accountId) ?? 0n) + 1n);
    const found = await this.client.accounts.batchGet([this.fund, ...wins.keys()], CALL);
    const wrong: string[] = [];
    const compare = (accountId: string, what: string, value: bigint | undefined, expected: bigint): void => {
      if (value !== expected) wrong.push(`${accountId}: ${what} ${value ?? 'absent'}, by the files ${expected}`);
    };
    let paidMinor = 0n;
    for (const [accountId, won] of wins) {
      const account = found.get(accountId);
      paidMinor += won * REWARD_MINOR;
      compare(accountId, 'balance', account?.balanceMinor, won * REWARD_MINOR);
      compare(accountId, 'entries', account?.entryCount, won);
    }
    compare(this.fund, 'balance', found.get(this.fund)?.balanceMinor, this.fundsMinor - paidMinor);
    return wrong;
  }

  private members(): Set<string> {
    return new Set(this.contests.flatMap(({ input }) => input.sides.flatMap(({ accountIds }) => accountIds)));
  }
}

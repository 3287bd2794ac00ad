/** Contests on real stores. */
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import type { AggregateState } from '@sluice/engine';
import type { ReadStore, Row } from '@sluice/ports';
import { CONTEST_REWARDS, CONTESTS, readContest, readReconciliation, rewardMessage } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { type Asked, CapabilityOnStores, PARTITIONS, type StoreName, until } from './capability-on-stores';

export type { StoreName } from './capability-on-stores';
type Methods = typeof contestpb.ContestCommandServiceService;
const CONTEST = { name: 'contest', service: contestpb.ContestCommandServiceService, messages: contestpb, defaults: { contestId: 'c' } };

export class ContestsOnStores extends CapabilityOnStores<Methods> {
  private spoilings = 0;

  /** @param asReadBy what the command service gets as the read store; undefined: the store itself. */
  static start(name: StoreName, asReadBy?: (store: ReadStore) => ReadStore): Promise<ContestsOnStores> {
    return new ContestsOnStores(CONTEST).open(name, asReadBy);
  }

  /** Two sides: red with r1 and r2, blue with b1. */
  async begin(rules: Asked = {}): Promise<void> {
    const sides = [
      { sideId: 'red', accountIds: ['r1', 'r2'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ];
    await this.call('createContest', { rules, sides });
    await this.call('startContest', {});
  }

  async score(accountId: string, points: number): Promise<void> {
    await this.call('score', { accountId, points: BigInt(points) });
  }

  /** Fires what is due until the contest is in the phase. */
  async untilPhase(phase: Contest['phase']): Promise<void> {
    await until(async () => {
      await this.fireDue();
      return this.state.phase === phase;
    });
  }

  /** Of the partition's owner. */
  private get state(): Contest {
    const state = this.command.engine.partition(PARTITION_OF_CONTEST)?.stateOf('contest') as AggregateState;
    return state.stateOf('contest', 'c') as Contest;
  }

  /** Ends the round, fires what is due, and waits until the contest has gone on. */
  async endRound(round: number): Promise<void> {
    await this.call('endRound', { round });
    await this.reconciled(round);
  }

  /** Fires what is due until the round is reconciled. */
  async reconciled(round: number): Promise<void> {
    await until(async () => {
      await this.fireDue();
      return this.state.round > round || this.state.phase === 'ENDED';
    });
    await this.settled();
  }

  /** Resolves when the log has what the memory of the contest's owner has: an answer, this refusal too, leaves when what it depends on is durable. */
  async settled(): Promise<void> {
    await this.call('endRound', { round: 1 }).catch(() => undefined);
  }

  async contest(): Promise<contestpb.Contest> {
    const contest = await readContest(await this.store.current(), 'c');
    if (contest === undefined) throw new Error('the read store does not have the contest');
    return contest;
  }

  async rewards(): Promise<contestpb.MemberReward[]> {
    const query = { collection: CONTEST_REWARDS.name, index: 'by_contest', equals: { contest_id: 'c' }, limit: 1_000 };
    const { rows } = await (await this.store.current()).find(query);
    const { sides } = await this.contest();
    return rows.map((row) => rewardMessage(row, sides));
  }

  async reconciliation(): Promise<contestpb.RoundReconciliation[]> {
    return readReconciliation(await this.store.current(), await this.contest());
  }

  /** Points of the sides as the read store shows them: in the round, and in all. */
  async shown(): Promise<string> {
    const { sides } = await this.contest();
    return `${sides.map(({ roundPoints }) => roundPoints).join()} of ${sides.map(({ points }) => points).join()}`;
  }

  /** Changes the row of the contest by another hand than the projector's. */
  async spoil(change: (row: Row) => Row): Promise<void> {
    const copy = await this.store.current();
    const row = await copy.get(CONTESTS.name, 'c');
    if (row === undefined) throw new Error('the read store does not have the contest');
    this.spoilings += 1;
    const batch = { partition: row.partition as number, projections: [`spoilt${this.spoilings}@1`], previousSequence: 0, sequence: 1, committedAtUs: 1 };
    await copy.apply({
      ...batch,
      writes: [
        { kind: 'delete', collection: CONTESTS.name, key: 'c' },
        { kind: 'put', collection: CONTESTS.name, row: change(row) },
      ],
    });
  }
}

const PARTITION_OF_CONTEST = partitionOfKey(Buffer.from('c', 'utf8'), PARTITIONS);

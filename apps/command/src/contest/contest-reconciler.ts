/**
 * Sums a round that has ended from the scores in the log, reads what the read store has, and asks the contest to compare.
 *
 *   timer ──▶ BeginReconciliation ──durable──▶ reads the contest's own commits, newest first, back to the start of the round
 *     ▲            │ sets the timer anew                         │
 *     └────────────┘                                             ▼ waits for the projection, reads the totals of the read store
 *                                              ReconcileRound ──▶ the log is the same as the memory: next round or winners, with the sums of both
 *                                                                 another: an error in the process's log
 *
 * Nothing of it is kept: an owner that stops on the way leaves the timer, and the next owner begins again.
 */
import { isReconciling, isRegularRound, RoundSums, type Contest, type ReadTotals } from '@sluice/domain/contest';
import { aggregateCommits, type AggregateCapability, type AggregateState, type Partition } from '@sluice/engine';
import type { DecodedCommit } from '@sluice/protocol';
import { contestEvents, RecordedScores, summedContestEvents } from '@sluice/protocol/contest';
import { type CapabilityMetrics, nextRound } from '@sluice/service';
import type { CommandContext } from '../command-capability';
import { decideHere, partitionOfKey } from '../methods/partition-share';
import { CONTEST } from './contest-aggregate';
import { readTotalsToProto } from './contest-event-codec';
import { reconcileMessage } from './contest-messages';
import type { ReadTotalsOfContests } from './read-totals';

/** Scores that are summed in one round of the event loop. */
const SCORES_PER_LOOP = 4_096;
const ITSELF = { identity: 'reconciliation of contests' };

export type Trouble = (partition: number, what: string, error: unknown) => void;

/** Where the services run, once they do. */
interface Surroundings {
  readonly context: CommandContext;
  readonly capability: AggregateCapability;
}

export class ContestReconciler {
  private readonly countRound: ReturnType<CapabilityMetrics['counter']>;
  private surroundings: Surroundings | undefined;
  /** Rounds that are being summed. */
  private readonly underWay = new Set<string>();

  constructor(
    private readonly totals: ReadTotalsOfContests,
    metrics: CapabilityMetrics,
    private readonly trouble: Trouble,
  ) {
    this.countRound = metrics.counter('sluice.contest.rounds_reconciled');
  }

  begin(context: CommandContext, capability: AggregateCapability): void {
    this.surroundings = { context, capability };
  }

  /** Begins to sum the round, unless that is under way. */
  reconcile(contestId: string, round: number): void {
    const { surroundings, underWay } = this;
    const name = `${round}/${contestId}`;
    if (surroundings === undefined || underWay.has(name)) return;
    underWay.add(name);
    const partition = partitionOfKey(surroundings.context.engine, contestId);
    this.sumAndCompare(surroundings, partition, contestId, round)
      // The timer is set: what failed is done again.
      .catch((error: unknown) => this.trouble(partition, `round ${round} of contest ${contestId} is not reconciled yet`, error))
      .finally(() => underWay.delete(name));
  }

  private async sumAndCompare({ context, capability }: Surroundings, partition: number, contestId: string, round: number): Promise<void> {
    const { engine, seeds, incarnation } = context;
    const owned = engine.partition(partition);
    // A partition that is being loaded has part of its contests, or of their points.
    if (owned === undefined || owned.state !== 'serving') return;
    const summed = await sumRound(owned, contestId, round);
    if (summed === undefined) return;
    const { sidePoints, sideTotals, scoreCount, sequence, waitMs } = summed;
    const asked = { contestId, sideCount: sidePoints.length, partition, sequence, incarnation, waitMs };
    const comparison = await this.totals.of(asked);
    const read = comparison.read && readTotalsToProto(comparison.read);
    const log = { contestId, round, sidePoints: sidePoints.map(BigInt), scoreCount: BigInt(scoreCount), sequence: BigInt(sequence) };
    // A new id each time, so that callers cannot have used it, and that an attempt which was answered settles nothing about the next one.
    const requestId = `reconcile-${round}-${Math.random()}`;
    const request = capability.request('ReconcileRound', reconcileMessage.bodyOf({ requestId, ...log, read, notCompared: comparison.notCompared }), seeds);
    await decideHere(engine, capability.name, partition, [request], ITSELF);
    const { verdict } = request;
    if (verdict?.kind === 'rejected' && verdict.reason === 'CONTEST_SUMS_DIFFER') throw new Error('its points are not the sums of its scores in the log');
    if (verdict?.kind !== 'accepted') return;
    const outcome = outcomeOf(summed, comparison.read);
    this.countRound(1, { outcome });
    if (outcome !== 'REPLACED' || comparison.read === undefined) return;
    const difference = `the read store had ${totalsText(comparison.read)}, the log says ${totalsText({ sidePoints, sideTotals })}; its totals are replaced`;
    this.trouble(partition, `round ${round} of contest ${contestId} was read wrong`, new Error(difference));
  }
}

interface SummedRound {
  /** By side: points in the round. */
  readonly sidePoints: readonly number[];
  /** By side: points in all regular rounds up to this one. */
  readonly sideTotals: readonly number[];
  readonly scoreCount: number;
  /** Newest commit of the contest. */
  readonly sequence: number;
  /** How long to wait for the projection. */
  readonly waitMs: number;
}

/** Undefined: the round is not to be summed any more. */
async function sumRound(owned: Partition, contestId: string, round: number): Promise<SummedRound | undefined> {
  const state = owned.stateOf('contest') as AggregateState;
  const contest = state.stateOf(CONTEST.aggregate, contestId) as Contest;
  const { rules, sideIds, sideTotals } = contest;
  if (rules === undefined || !isReconciling(contest, round)) return undefined;
  const counted = isRegularRound(contest);
  const before = [...sideTotals];
  const newest = state.sequenceOf(CONTEST.aggregate, contestId);
  const sums = new RoundSums(rules.operator);
  let paused = 0;
  for await (const commit of aggregateCommits({ ...CONTEST, key: contestId }, newest, (sequence) => owned.recall(sequence))) {
    if (addScores(sums, commit, contestId, round)) break;
    if (sums.scoreCount - paused < SCORES_PER_LOOP) continue;
    paused = sums.scoreCount;
    await nextRound();
  }
  const sidePoints = sums.sidePoints(sideIds.length);
  const totals = sidePoints.map((points, side) => (before[side] as number) + (counted ? points : 0));
  return { sidePoints, sideTotals: totals, scoreCount: sums.scoreCount, sequence: newest, waitMs: rules.reconcileWaitMs };
}

type SideSums = Pick<SummedRound, 'sidePoints' | 'sideTotals'>;

function outcomeOf(log: SummedRound, read: ReadTotals | undefined): 'EQUAL' | 'REPLACED' | 'BEHIND' | 'NOT_COMPARED' {
  if (read === undefined) return 'NOT_COMPARED';
  if (totalsText(read) === totalsText(log)) return 'EQUAL';
  return read.sequence < log.sequence ? 'BEHIND' : 'REPLACED';
}

function totalsText({ sidePoints, sideTotals }: SideSums): string {
  return `${sidePoints.join()} in the round and ${sideTotals.join()} in all`;
}

/** Returns whether the round was started in the commit, so that no earlier one has scores of it. */
function addScores(sums: RoundSums, commit: DecodedCommit, contestId: string, round: number): boolean {
  let isFirst = false;
  for (const event of commit.events) {
    const started = contestEvents.readOnly('RoundStarted', event, commit);
    if (started?.contestId === contestId && started.round === round) isFirst = true;
    const scored = summedContestEvents.readOnly('ScoresRecorded', event, commit);
    if (scored === undefined) continue;
    const scores = new RecordedScores(scored);
    if (scores.contestId === contestId && scores.round === round)
      scores.forEach((member, side, points, scoredAtUs) => sums.add(member, side, points, scoredAtUs));
  }
  return isFirst;
}

/**
 * Sums a round that has ended from the scores in the log, and asks the contest to compare.
 *
 *   timer ──▶ BeginReconciliation ──durable──▶ reads the contest's own commits, newest first, back to the start of the round
 *     ▲            │ sets the timer anew                         │
 *     └────────────┘                                             ▼
 *                                              ReconcileRound ──▶ the same: next round or winners; another: an error in the process's log
 *
 * Nothing of it is kept: an owner that stops on the way leaves the timer, and the next owner begins again.
 */
import { isReconciling, RoundSums, type Contest } from '@sluice/domain/contest';
import { aggregateCommits, type AggregateCapability, type AggregateState, type Partition } from '@sluice/engine';
import type { DecodedCommit } from '@sluice/protocol';
import { contestEvents, type contestpb } from '@sluice/protocol/contest';
import { nextRound } from '@sluice/service';
import type { CommandContext } from '../command-capability';
import { decideHere, partitionOfKey } from '../methods/partition-share';
import { CONTEST } from './contest-aggregate';
import { reconcileMessage } from './contest-messages';

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
  private surroundings: Surroundings | undefined;
  /** Rounds that are being summed. */
  private readonly underWay = new Set<string>();

  constructor(private readonly trouble: Trouble) {}

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
    const { engine, seeds } = context;
    const owned = engine.partition(partition);
    // A partition that is being loaded has part of its contests, or of their points.
    if (owned === undefined || owned.state !== 'serving') return;
    const summed = await sumRound(owned, contestId, round);
    if (summed === undefined) return;
    // A new id each time, so that callers cannot have used it, and that an attempt which was answered settles nothing about the next one.
    const requestId = `reconcile-${round}-${Math.random()}`;
    const request = capability.request('ReconcileRound', reconcileMessage.bodyOf({ requestId, ...summed }), seeds);
    await decideHere(engine, capability.name, partition, [request], ITSELF);
    const { verdict } = request;
    if (verdict?.kind === 'rejected' && verdict.reason === 'CONTEST_SUMS_DIFFER') throw new Error('its points are not the sums of its scores in the log');
  }
}

/** Undefined: the round is not to be summed any more. */
async function sumRound(owned: Partition, contestId: string, round: number): Promise<Omit<contestpb.ReconcileRound, 'requestId'> | undefined> {
  const state = owned.stateOf('contest') as AggregateState;
  const contest = state.stateOf(CONTEST.aggregate, contestId) as Contest;
  const { rules, sideIds } = contest;
  if (rules === undefined || !isReconciling(contest, round)) return undefined;
  const newest = state.sequenceOf(CONTEST.aggregate, contestId);
  const sums = new RoundSums(rules.operator);
  let paused = 0;
  for await (const commit of aggregateCommits({ ...CONTEST, key: contestId }, newest, (sequence) => owned.recall(sequence))) {
    if (addScores(sums, commit, contestId, round)) break;
    if (sums.scoreCount - paused < SCORES_PER_LOOP) continue;
    paused = sums.scoreCount;
    await nextRound();
  }
  return { contestId, round, sidePoints: sums.sidePoints(sideIds.length).map(BigInt), scoreCount: BigInt(sums.scoreCount), sequence: BigInt(newest) };
}

/** Returns whether the round was started in the commit, so that no earlier one has scores of it. */
function addScores(sums: RoundSums, commit: DecodedCommit, contestId: string, round: number): boolean {
  let isFirst = false;
  for (const event of commit.events) {
    const started = contestEvents.readOnly('RoundStarted', event, commit);
    if (started?.contestId === contestId && started.round === round) isFirst = true;
    const scored = contestEvents.readOnly('ScoresRecorded', event, commit);
    if (scored?.contestId !== contestId || scored.round !== round) continue;
    for (const { member, side, points, scoredAtUs } of scored.scores) sums.add(member, side, Number(points), Number(scoredAtUs));
  }
  return isFirst;
}

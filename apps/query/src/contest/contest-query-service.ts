/** ContestQueryService: reads of contests, from the read store alone. */
import type { ReadCopy } from '@sluice/ports';
import { isOver, readContest, readReconciliation } from '@sluice/projections/contest';
import { contestpb } from '@sluice/protocol/contest';
import { type CallContext, refusal, serverStream, type ServiceRegistration, unary } from '@sluice/service';
import { type Freshness, mergedToken } from '../freshness';
import { GatheredReads } from '../gathered-reads';
import { checkKey } from '../request-shape';
import type { SharedWatches } from '../shared-watches';
import { listContests } from './contest-listing';
import { rewardListing } from './reward-listing';
import { scoreListing } from './score-listing';
import { submittedScoreListing } from './submitted-score-listing';
import { askedPage, askedTop, standingsPage, topOf } from './standings-answers';
import type { Standings, StandingsReading } from './standings-reading';

export interface ContestQueryOptions {
  readonly freshness: Freshness;
  readonly standings: StandingsReading;
  readonly contests: SharedWatches<contestpb.Contest>;
  readonly standingWatches: SharedWatches<Standings>;
}

export function contestQueryService(options: ContestQueryOptions): ServiceRegistration {
  const implementation: contestpb.ContestQueryServiceServer = { ...readMethods(options), ...watchMethods(options) };
  return { name: 'sluice.contest.v1.ContestQueryService', definition: contestpb.ContestQueryServiceService, implementation: { ...implementation } };
}

type ReadMethod = 'getContest' | 'listContests' | 'getStandings' | 'listScores' | 'getReconciliation' | 'listRewards' | 'listSubmittedScores';
type WatchMethod = 'watchContest' | 'watchStandings';

function readMethods({ freshness, standings }: ContestQueryOptions): Pick<contestpb.ContestQueryServiceServer, ReadMethod> {
  return {
    getContest: unary<contestpb.GetContestRequest, contestpb.GetContestResponse>(async (request, call) => {
      const { contestId } = request;
      checkKey('contest_id', contestId);
      return { contest: found(await readContest(await freshness.copyFor(request, call), contestId), contestId), positionToken: mergedToken(request) };
    }),

    listContests: unary<contestpb.ListContestsRequest, contestpb.ListContestsResponse>(async (request, call) => {
      const page = await listContests(() => freshness.copyFor(request, call), request);
      return { ...page, positionToken: mergedToken(request) };
    }),

    getStandings: unary<contestpb.GetStandingsRequest, contestpb.GetStandingsResponse>(async (request, call) => {
      const asked = askedPage(request);
      const now = await readStandings(freshness, standings, request, call);
      return { contest: now.contest, ...standingsPage(now, asked), positionToken: mergedToken(request) };
    }),

    listScores: unary<contestpb.ListScoresRequest, contestpb.ListScoresResponse>(async (request, call) => {
      const { contestId } = request;
      checkKey('contest_id', contestId);
      const read = scoreListing(request);
      const copy = await freshness.copyFor(request, call);
      const page = await read(copy, found(await readContest(copy, contestId), contestId));
      return { ...page, positionToken: mergedToken(request) };
    }),

    getReconciliation: unary<contestpb.GetReconciliationRequest, contestpb.GetReconciliationResponse>(async (request, call) => {
      const { contestId } = request;
      checkKey('contest_id', contestId);
      const copy = await freshness.copyFor(request, call);
      const rounds = await readReconciliation(copy, found(await readContest(copy, contestId), contestId));
      return { rounds, positionToken: mergedToken(request) };
    }),

    listRewards: unary<contestpb.ListRewardsRequest, contestpb.ListRewardsResponse>(async (request, call) => {
      const { contestId } = request;
      checkKey('contest_id', contestId);
      const read = rewardListing(request);
      const copy = await freshness.copyFor(request, call);
      const contest = found(await readContest(copy, contestId), contestId);
      return { ...(await read(copy, contest)), money: contest.money, positionToken: mergedToken(request) };
    }),

    listSubmittedScores: unary<contestpb.ListSubmittedScoresRequest, contestpb.ListSubmittedScoresResponse>(async (request, call) => {
      const { contestId } = request;
      checkKey('contest_id', contestId);
      const read = submittedScoreListing(request);
      const copy = await freshness.copyFor(request, call);
      found(await readContest(copy, contestId), contestId);
      return { ...(await read(copy)), positionToken: mergedToken(request) };
    }),
  };
}

function watchMethods(options: ContestQueryOptions): Pick<contestpb.ContestQueryServiceServer, WatchMethod> {
  const { freshness, standings, contests, standingWatches } = options;
  // Ten thousand calls may begin to watch one contest at once.
  const gathered = new GatheredReads<ReadCopy, contestpb.Contest | undefined>(readContest);
  return {
    watchContest: serverStream<contestpb.WatchContestRequest, contestpb.WatchContestResponse>(async function* (request, call) {
      const { contestId } = request;
      const positionToken = mergedToken(request);
      checkKey('contest_id', contestId);
      const now = found(await gathered.now(await freshness.copyFor(request, call), contestId), contestId);
      yield { contest: now, positionToken };
      if (isOver(now)) return;
      for await (const { state } of contests.watch(contestId, Number(now.sequence), call.signal)) {
        yield { contest: state, positionToken };
        if (isOver(state)) return;
      }
    }),

    watchStandings: serverStream<contestpb.WatchStandingsRequest, contestpb.WatchStandingsResponse>(async function* (request, call) {
      const asked = askedTop(request);
      const positionToken = mergedToken(request);
      const now = await readStandings(freshness, standings, request, call);
      yield { ...topOf(now, asked), positionToken };
      if (isOver(now.contest)) return;
      for await (const { state } of standingWatches.watch(request.contestId, Number(now.contest.sequence), call.signal)) {
        yield { ...topOf(state, asked), positionToken };
        if (isOver(state.contest)) return;
      }
    }),
  };
}

type OfContest = Pick<contestpb.GetStandingsRequest, 'contestId' | 'positionToken' | 'positionTokens'>;

async function readStandings(freshness: Freshness, standings: StandingsReading, request: OfContest, call: CallContext): Promise<Standings> {
  const { contestId } = request;
  const copy = await freshness.copyFor(request, call);
  return found(await standings.read(copy, contestId, () => freshness.pauseBetweenReads(copy, call)), contestId);
}

function found<Found>(contest: Found | undefined, contestId: string): Found {
  if (contest === undefined) throw refusal('CONTEST_NOT_FOUND', `there is no contest "${contestId}"`, { contest_id: contestId });
  return contest;
}

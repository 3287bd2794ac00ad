/** A contest in `sluice serve`: its scheduler ends the rounds, its read store is compared with the log, watchers see it until it is over. */
import { credentials } from '@grpc/grpc-js';
import { contestpb } from '@sluice/protocol/contest';
import { answered } from './harness/calls';
import { dataFolder, Server } from './harness/server';

const folder = dataFolder();
let server: Server;
let commands: contestpb.ContestCommandServiceClient;
let queries: contestpb.ContestQueryServiceClient;

beforeAll(async () => {
  server = await Server.start(folder.path);
  commands = new contestpb.ContestCommandServiceClient(server.address, credentials.createInsecure());
  queries = new contestpb.ContestQueryServiceClient(server.address, credentials.createInsecure());
});

afterAll(async () => {
  commands?.close();
  queries?.close();
  await server?.end('SIGTERM');
  folder.remove();
});

test('rounds end by their time, are equal in log and read store, and the standings are watched to the end', async () => {
  const contestId = 'cup';
  const created = contestpb.CreateContestRequest.fromPartial({
    requestId: 'create',
    contestId,
    rules: { rounds: 2, roundDurationMs: 500n, reconcileWaitMs: 30_000n },
    sides: [
      { sideId: 'red', accountIds: ['r1', 'r2'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ],
  });
  await answered<contestpb.CreateContestResponse>((done) => commands.createContest(created, done));
  await answered<contestpb.StartContestResponse>((done) => commands.startContest({ requestId: 'start', contestId }, done));
  const score = contestpb.ScoreRequest.fromPartial({ requestId: 's1', contestId, accountId: 'b1', points: 7n });
  const { positionToken } = await answered<contestpb.ScoreResponse>((done) => commands.score(score, done));
  const watched = contestpb.WatchStandingsRequest.fromPartial({ contestId, top: 1, accountId: 'r2', positionToken });
  const seen: contestpb.WatchStandingsResponse[] = [];
  for await (const standings of queries.watchStandings(watched) as AsyncIterable<contestpb.WatchStandingsResponse>) seen.push(standings);
  expect(seen.at(0)?.members).toEqual([{ rank: 1, accountId: 'b1', sideId: 'blue', points: 7n, roundPoints: 7n }]);
  expect(seen.at(-1)).toMatchObject({
    contest: { phase: contestpb.ContestPhase.CONTEST_PHASE_ENDED, winnerSideIds: ['blue'], round: 2 },
    members: [{ accountId: 'b1', points: 7n, roundPoints: 0n }],
    member: { rank: 2, accountId: 'r2' },
  });
  const request = contestpb.GetReconciliationRequest.fromPartial({ contestId });
  const { rounds } = await answered<contestpb.GetReconciliationResponse>((done) => queries.getReconciliation(request, done));
  const { RECONCILIATION_OUTCOME_EQUAL: equal } = contestpb.ReconciliationOutcome;
  expect(rounds.map(({ round, outcome, scoreCount }) => [round, outcome, scoreCount])).toEqual([
    [1, equal, 1n],
    [2, equal, 0n],
  ]);
  for (const { readSequence, logSequence } of rounds) expect(readSequence).toBeGreaterThanOrEqual(logSequence);
});

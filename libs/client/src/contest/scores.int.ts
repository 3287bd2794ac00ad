/** Scores by the client library: drawn together, in batches, on a stream. */
import { status } from '@grpc/grpc-js';
import { contestpb } from '@sluice/protocol/contest';
import { SluiceClient, type SluiceError } from '../index';
import { grpcError, type Script, type ScriptedServices, startScriptedServices } from '../testing/scripted-services';

const running: { services: ScriptedServices; client: SluiceClient }[] = [];

async function clientOf(contestCommands: Script['contestCommands']): Promise<SluiceClient> {
  const services = await startScriptedServices({ contestCommands });
  const client = new SluiceClient({ retry: { baseDelayMs: 1, maximumDelayMs: 2 }, target: services.target });
  running.push({ services, client });
  return client;
}

afterEach(() => {
  for (const { services, client } of running.splice(0)) {
    client.close();
    services.stop();
  }
});

const recorded = (sideRoundPoints: number): contestpb.ScoreResult => contestpb.ScoreResult.fromPartial({ round: 1, sideRoundPoints: BigInt(sideRoundPoints) });
const refused = (code: status, reason: string): contestpb.ScoreResult => contestpb.ScoreResult.fromPartial({ error: { code, reason, message: reason } });
const scores = (count: number) => Array.from({ length: count }, (_, at) => ({ requestId: `r${at}`, contestId: 'c', accountId: 'a', points: 1 }));

test('what is scored at the same time travels as one batch, each score with its own answer', async () => {
  const seen: string[][] = [];
  const client = await clientOf({
    scoreBatch: ({ request }, callback) => {
      seen.push(request.scores.map(({ requestId, points, scoredAtUs }) => `${requestId} ${points} ${scoredAtUs}`));
      callback(null, {
        results: request.scores.map((_, at) => (at === 1 ? refused(status.NOT_FOUND, 'CONTEST_MEMBER_NOT_FOUND') : recorded(at))),
        positionToken: '',
      });
    },
  });
  const [first, second, third] = await Promise.all([
    client.contests.score({ requestId: 'a', contestId: 'c', accountId: 'x', points: 5 }),
    client.contests.score({ requestId: 'b', contestId: 'c', accountId: 'y', points: 6 }).catch((error: SluiceError) => error),
    client.contests.score({ requestId: 'c', contestId: 'd', accountId: 'z', points: 7, scoredAt: new Date(2) }),
  ]);
  expect(seen).toEqual([['a 5 0', 'b 6 0', 'c 7 2000']]);
  expect([first.sideRoundPoints, third.sideRoundPoints, third.contestId]).toEqual([0, 2, 'd']);
  expect(second).toMatchObject({ code: 'NOT_FOUND', reason: 'CONTEST_MEMBER_NOT_FOUND', requestId: 'b', metadata: { contest_id: 'c', account_id: 'y' } });
});

test('a submitted score is sent as it is given, and answered with its task', async () => {
  const seen: contestpb.SubmitScoreRequest[] = [];
  const client = await clientOf({
    submitScore: ({ request }, callback) => {
      seen.push(request);
      callback(null, { taskId: `score/${request.requestId}`, repeated: false, positionToken: '' });
    },
  });
  const submission = await client.contests.submitScore({ requestId: 'a', contestId: 'c', accountId: 'x', points: 5, scoredAt: new Date(2) });
  expect(submission).toEqual({ requestId: 'a', contestId: 'c', taskId: 'score/a', repeated: false, positionToken: '' });
  expect(seen).toEqual([{ requestId: 'a', contestId: 'c', accountId: 'x', points: 5n, scoredAtUs: 2_000n }]);
});

test('a batch repeats the scores that the server could not take, alone, and says what became of each', async () => {
  const seen: string[][] = [];
  const client = await clientOf({
    scoreBatch: ({ request }, callback) => {
      seen.push(request.scores.map(({ requestId }) => requestId));
      const isFirst = seen.length === 1;
      callback(null, {
        results: request.scores.map(({ requestId }, at) =>
          isFirst && requestId === 'r1' ? refused(status.UNAVAILABLE, 'PARTITION_UNAVAILABLE') : recorded(at),
        ),
        positionToken: '',
      });
    },
  });
  const outcomes = await client.contests.scoreBatch(scores(3));
  expect(seen).toEqual([['r0', 'r1', 'r2'], ['r1']]);
  expect(outcomes.map(({ requestId, result }) => [requestId, result?.sideRoundPoints])).toEqual([
    ['r0', 0],
    ['r1', 0],
    ['r2', 2],
  ]);
});

test('a stream of scores goes on over a new connection when one breaks, with what has no answer', async () => {
  const received: string[][] = [];
  const client = await clientOf({
    scoreStream: (call) => {
      const ofThisStream: string[] = [];
      received.push(ofThisStream);
      call.on('data', ({ score }: contestpb.ScoreStreamRequest) => {
        const { requestId = '', contestId = '' } = score ?? {};
        ofThisStream.push(requestId);
        if (received.length === 1 && ofThisStream.length === 3) call.emit('error', grpcError(status.UNAVAILABLE, 'SHUTTING_DOWN'));
        else if (received.length > 1 || ofThisStream.length === 1) call.write({ requestId, contestId, result: recorded(1), positionToken: '' });
      });
    },
  });
  const outcomes: string[] = [];
  for await (const outcome of client.contests.scoreStream(scores(5))) outcomes.push(outcome.requestId);
  expect([...outcomes].sort()).toEqual(['r0', 'r1', 'r2', 'r3', 'r4']);
  expect(received).toHaveLength(2);
});

test('rules travel with what is left out as their default, and replies say when the round ends', async () => {
  const seen: contestpb.CreateContestRequest[] = [];
  const client = await clientOf({
    createContest: ({ request }, callback) => {
      seen.push(request);
      callback(null, { memberCount: 2, repeated: false, positionToken: '' });
    },
    startContest: (_call, callback) =>
      callback(null, { roundEndsAtUs: 5_000_000n, repeated: true, positionToken: '', phase: contestpb.ContestPhase.CONTEST_PHASE_RUNNING }),
  });
  const sides = [
    { sideId: 'red', accountIds: ['a'] },
    { sideId: 'blue', accountIds: ['b'] },
  ];
  await client.contests.create({ contestId: 'c', sides, rules: { rounds: 3, tieRule: 'SUDDEN_DEATH', joinUntil: new Date(4) } });
  expect(seen[0]?.rules).toEqual({
    ...contestpb.ContestRules.fromPartial({}),
    rounds: 3,
    tieRule: contestpb.TieRule.TIE_RULE_SUDDEN_DEATH,
    joinUntilUs: 4_000n,
  });
  expect(await client.contests.start('c')).toEqual({ phase: 'RUNNING', roundEndsAt: new Date(5_000), repeated: true, positionToken: '' });
});

test('what no message can hold is refused by itself, and those beside it are sent', async () => {
  const client = await clientOf({
    scoreBatch: ({ request }, callback) => callback(null, { results: request.scores.map((_, at) => recorded(at)), positionToken: '' }),
  });
  const about = { contestId: 'c', accountId: 'a' };
  const outcomes = await Promise.allSettled([
    client.contests.score({ ...about, points: 1 }),
    client.contests.score({ ...about, points: 1.5 }),
    client.contests.score({ ...about, points: 1, scoredAt: new Date(Number.NaN) }),
    client.contests.gift({ ...about, giverAccountId: 'g', amountMinor: 1n, unit: 'EUR', points: Number.NaN }),
    client.contests.endRound('c', 2 ** 32),
    client.contests.create({ contestId: 'c', sides: [], rules: { rounds: 2 ** 32 } }),
    client.contests.score({ ...about, points: 2 }),
  ]);
  const invalid = { status: 'rejected', reason: { code: 'INVALID_ARGUMENT', reason: 'INVALID_REQUEST' } };
  const sent = { status: 'fulfilled' };
  expect(outcomes).toMatchObject([sent, invalid, invalid, invalid, invalid, invalid, sent]);
});

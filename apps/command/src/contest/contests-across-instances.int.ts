/** Contests with money among instances that share the partitions: givers, winners, fund and contest are of different owners. */
import { credentials } from '@grpc/grpc-js';
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import type { AggregateState } from '@sluice/engine';
import { contestpb } from '@sluice/protocol/contest';
import { answered, look, type SharingInstance, SharingInstances } from '../test/sharing-instances';

const PARTITIONS = 4;
const GIVERS = Array.from({ length: 12 }, (_, at) => `giver ${at}`);
const MEMBERS = Array.from({ length: 12 }, (_, at) => `member ${at}`);

const instances = new SharingInstances({ partitions: PARTITIONS });
let one: SharingInstance;
let two: SharingInstance;
let client: contestpb.ContestCommandServiceClient;

beforeAll(async () => {
  one = await instances.start('one');
  two = await instances.start('two');
  await instances.untilShared();
  client = new contestpb.ContestCommandServiceClient(one.server.address, credentials.createInsecure());
});

afterAll(async () => {
  client.close();
  await instances.stop();
});

/** The contest, and the firing of what is due: the scheduler's work. */
async function until(is: (contest: Contest) => boolean): Promise<void> {
  for (;;) {
    for (const { command } of [one, two]) {
      for (const partition of command.engine.timers.partitions) await command.engine.timers.of(partition)?.fire(Date.now() * 1_000);
      const owned = command.engine.partition(partitionOfKey(Buffer.from('c', 'utf8'), PARTITIONS));
      const contest = (owned?.stateOf('contest') as AggregateState | undefined)?.stateOf('contest', 'c') as Contest | undefined;
      if (contest !== undefined && is(contest)) return;
    }
    await look();
  }
}

/** Starts a contest at each of the two owners. */
async function contestsOfEach(name: string): Promise<string[]> {
  const contestAt = (owner: SharingInstance): string =>
    Array.from({ length: 100 }, (_, at) => `${name} ${at}`).find(
      (contestId) => owner.command.engine.partition(partitionOfKey(Buffer.from(contestId, 'utf8'), PARTITIONS)) !== undefined,
    ) as string;
  const contestIds = [contestAt(one), contestAt(two)];
  const sides = ['red', 'blue'].map((sideId) => ({ sideId, accountIds: [sideId] }));
  for (const contestId of contestIds) {
    await answered((done) => client.createContest(contestpb.CreateContestRequest.fromPartial({ contestId, requestId: 'create', sides }), done));
    await answered((done) => client.startContest(contestpb.StartContestRequest.fromPartial({ contestId, requestId: 'start' }), done));
  }
  return contestIds;
}

async function scoreBatch(scores: readonly Partial<contestpb.ScoreRequest>[]): Promise<contestpb.ScoreResult[]> {
  const request = contestpb.ScoreBatchRequest.fromPartial({ scores: [...scores] });
  return (await answered<contestpb.ScoreBatchResponse>((done) => client.scoreBatch(request, done))).results;
}

test('gifts come from accounts of every owner, a submitted score counts once, and winners of every owner are paid', async () => {
  await one.open(['fund', ...GIVERS, ...MEMBERS]);
  const credit = (accountId: string, amountMinor: bigint) => ({ requestId: 'credit', accountId, type: 1, amountMinor, unit: 'EUR' });
  await one.batch([credit('fund', 10_000n), ...GIVERS.map((accountId) => credit(accountId, 10n))]);
  const about = { contestId: 'c' };
  const reward = { fundAccountId: 'fund', unit: 'EUR', kind: contestpb.RewardKind.REWARD_KIND_FIXED, amountMinor: 100n };
  const sides = [
    { sideId: 'red', accountIds: MEMBERS },
    { sideId: 'blue', accountIds: ['nobody'] },
  ];
  await answered((done) => client.createContest(contestpb.CreateContestRequest.fromPartial({ ...about, requestId: 'create', sides, rules: { reward } }), done));
  await answered((done) => client.startContest(contestpb.StartContestRequest.fromPartial({ ...about, requestId: 'start' }), done));
  await until(({ phase }) => phase === 'RUNNING');
  const gifts = GIVERS.map((giverAccountId, at) => ({
    ...about,
    requestId: 'gift',
    giverAccountId,
    accountId: MEMBERS[at] as string,
    amountMinor: 4n,
    unit: 'EUR',
  }));
  const given = contestpb.GiftBatchRequest.fromPartial({ gifts });
  for (const repeated of [false, true]) {
    const { results } = await answered<contestpb.GiftBatchResponse>((done) => client.giftBatch(given, done));
    expect(results).toEqual(GIVERS.map(() => ({ balanceAfterMinor: 6n, entryNumber: 2n, repeated, error: undefined })));
  }
  const submitted = contestpb.SubmitScoreRequest.fromPartial({ ...about, requestId: 'submit', accountId: MEMBERS[0], points: 2n });
  for (const repeated of [false, true])
    expect(await answered<contestpb.SubmitScoreResponse>((done) => client.submitScore(submitted, done))).toMatchObject({ taskId: 'score/submit', repeated });
  await until(({ sideRoundPoints }) => sideRoundPoints[0] === 50);
  await answered((done) => client.endRound(contestpb.EndRoundRequest.fromPartial({ ...about, requestId: 'end', round: 1 }), done));
  await until(({ phase, fund }) => phase === 'ENDED' && fund?.paidMinor === 1_200n);
  const { results } = await one.batch(['fund', ...MEMBERS].map((accountId) => ({ ...credit(accountId, 1n), requestId: 'look' })));
  expect(results.map(({ balanceAfterMinor }) => balanceAfterMinor)).toEqual([8_801n, ...MEMBERS.map(() => 101n)]);
});

test('scores of a batch whose owner loses their turn are unavailable, and counted when they are sent again', async () => {
  const contestIds = await contestsOfEach('lost');
  const scores = contestIds.map((contestId) => ({ contestId, requestId: 'score', accountId: 'red', points: 3n }));
  two.log.faults.failNextAppend({ diskFull: true });
  expect((await scoreBatch(scores)).map(({ roundPoints, error }) => error?.reason ?? Number(roundPoints))).toEqual([3, 'PARTITION_UNAVAILABLE']);
  let again = await scoreBatch(scores);
  for (; again[1]?.error?.reason === 'PARTITION_UNAVAILABLE'; again = await scoreBatch(scores)) await look();
  expect(again).toMatchObject([
    { sideRoundPoints: 3n, repeated: true, error: undefined },
    { sideRoundPoints: 3n, error: undefined },
  ]);
});

test('scores of a batch whose owner does not answer are answered by the instance that takes its contests, and count once', async () => {
  const contestIds = await contestsOfEach('silent');
  const scores = contestIds.map((contestId) => ({ contestId, requestId: 'score', accountId: 'red', points: 3n }));
  const send = () => scoreBatch(scores);
  // The owner records its score, and falls silent before it can say so.
  two.silenceAnswers();
  expect(await send()).toMatchObject([
    { roundPoints: 3n, repeated: false, error: undefined },
    { roundPoints: 3n, repeated: true, error: undefined },
  ]);
  expect(await send()).toMatchObject(contestIds.map(() => ({ roundPoints: 3n, sideRoundPoints: 3n, repeated: true, error: undefined })));
});

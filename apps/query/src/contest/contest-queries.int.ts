/** Reads and watches of contests over gRPC: what they say, how new it is, and what many watchers cost. */
import { credentials, type ServiceError, status } from '@grpc/grpc-js';
import { MemoryReadStore } from '@sluice/memory';
import type { ReadCopy, Row } from '@sluice/ports';
import { PartitionFold, READ_COLLECTIONS } from '@sluice/projections';
import { CONTEST_STANDINGS, CONTESTS, projection } from '@sluice/projections/contest';
import { type DecodedCommit, encodePositionToken, type EventRecord, timestampFromUs } from '@sluice/protocol';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { errorInfoOf, type RunningServer, startServer } from '@sluice/service';
import { type QueryRuntime, startQuery } from '../query';
import { first, type Unary, unary } from '../test/calls';

const INCARNATION = 'ab'.repeat(16);
const SECOND_US = 1_000_000;
const MEMBERS = 30;
const tokenOf = (...sequences: [number, number][]): string => encodePositionToken({ incarnation: INCARNATION, sequences: new Map(sequences) });

let store: MemoryReadStore;
let query: QueryRuntime;
let server: RunningServer;
let client: contestpb.ContestQueryServiceClient;
/** Newest sequences of the partitions. */
let sequences: number[];

/** The projector has one commit more of the partition. */
async function project(partition: number, ...events: EventRecord[]): Promise<void> {
  const sequence = (sequences[partition] as number) + 1;
  sequences[partition] = sequence;
  const fold = new PartitionFold(partition, [projection], new Map(), 100);
  const commit = { partition, sequence, committedAtUs: sequence * SECOND_US, checksum: new Uint8Array(32), events } as unknown as DecodedCommit;
  fold.take(commit);
  const copy = await store.current();
  await copy.apply(fold.project(await loadedRows(copy, fold), 'attempt').batch);
}

async function loadedRows(copy: ReadCopy, fold: PartitionFold): Promise<Map<string, Map<string, Row>>> {
  const loaded = new Map<string, Map<string, Row>>();
  for (const [collection, keys] of fold.missing()) {
    const rows = await copy.getMany(collection, keys);
    loaded.set(collection, new Map(rows.flatMap((row, at) => (row === undefined ? [] : [[keys[at] as string, row] as const]))));
  }
  return loaded;
}

const createdEvent = (contestId: string, members = 1): EventRecord =>
  contestEvents.record('ContestCreated', {
    contestId,
    rules: contestpb.ContestRules.fromPartial({ rounds: 2 }),
    sides: ['red', 'blue'].map((sideId, side) => ({ sideId, accountIds: Array.from({ length: members / 2 }, (_, at) => `${sideId}${side * 100 + at}`) })),
    title: `the contest ${contestId}`,
  });
const started = (contestId: string, round = 1): EventRecord => contestEvents.record('RoundStarted', { contestId, round, endsAtUs: 0n, suddenDeathSides: [] });
const ended = (contestId: string): EventRecord => contestEvents.record('WinnersNamed', { contestId, sides: [1], round: 1, sideTotals: [] });

/** Scores of members by number. */
function scores(contestId: string, ...given: readonly (readonly [member: number, points: number])[]): EventRecord {
  const recorded = given.map(([member, points], at) => {
    const side = member < MEMBERS / 2 ? 0 : 1;
    const accountId = side === 0 ? `red${member}` : `blue${100 + member - MEMBERS / 2}`;
    const own = BigInt(points);
    return contestpb.RecordedScore.fromPartial({
      requestId: `s${at}`,
      accountId,
      member,
      side,
      points: own,
      roundPoints: own,
      totalPoints: own,
      sideRoundPoints: own,
    });
  });
  return contestEvents.record('ScoresRecorded', { contestId, round: 1, scores: recorded });
}

beforeEach(async () => {
  store = new MemoryReadStore({ collections: READ_COLLECTIONS, identity: { incarnation: INCARNATION, partitions: 2 } });
  sequences = [0, 0];
  await project(0, createdEvent('c', MEMBERS), started('c'));
  query = await startQuery({ readStore: store });
  server = await startServer({ host: '127.0.0.1', port: 0 }, query.registrations);
  client = new contestpb.ContestQueryServiceClient(server.address, credentials.createInsecure());
});

afterEach(async () => {
  client.close();
  await server.stop(0);
  await query.stop();
  await store.close();
});

const asked = <Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> => unary(method.bind(client), request);

interface Tokens {
  readonly positionToken: string;
  readonly positionTokens: string[];
}

const NO_TOKENS: Tokens = { positionToken: '', positionTokens: [] };
const standings = (request: Partial<contestpb.GetStandingsRequest>) =>
  asked<contestpb.GetStandingsRequest, contestpb.GetStandingsResponse>(
    client.getStandings,
    contestpb.GetStandingsRequest.fromPartial({ contestId: 'c', ...request }),
  );
const listed = (request: Partial<contestpb.ListScoresRequest>) =>
  asked<contestpb.ListScoresRequest, contestpb.ListScoresResponse>(client.listScores, contestpb.ListScoresRequest.fromPartial({ contestId: 'c', ...request }));
const contestsOf = (request: Partial<contestpb.ListContestsRequest>) =>
  asked<contestpb.ListContestsRequest, contestpb.ListContestsResponse>(client.listContests, contestpb.ListContestsRequest.fromPartial(request));

const rewards = (request: Partial<contestpb.ListRewardsRequest>) =>
  asked<contestpb.ListRewardsRequest, contestpb.ListRewardsResponse>(
    client.listRewards,
    contestpb.ListRewardsRequest.fromPartial({ contestId: 'c', ...request }),
  );

const submissions = (request: Partial<contestpb.ListSubmittedScoresRequest>) =>
  asked<contestpb.ListSubmittedScoresRequest, contestpb.ListSubmittedScoresResponse>(
    client.listSubmittedScores,
    contestpb.ListSubmittedScoresRequest.fromPartial({ contestId: 'c', ...request }),
  );

async function reasonOf(answer: Promise<unknown>): Promise<string | undefined> {
  const refused = await answer.then(
    () => undefined,
    (error: ServiceError) => error,
  );
  return refused && errorInfoOf(refused)?.reason;
}

const QUERIES: Readonly<Record<string, (tokens: Tokens) => Promise<{ readonly positionToken: string }>>> = {
  GetContest: (tokens) => asked<contestpb.GetContestRequest, contestpb.GetContestResponse>(client.getContest, { contestId: 'c', ...tokens }),
  ListContests: contestsOf,
  GetStandings: standings,
  ListScores: listed,
  ListRewards: (tokens) => rewards(tokens),
  ListSubmittedScores: (tokens) => submissions(tokens),
  GetReconciliation: (tokens) =>
    asked<contestpb.GetReconciliationRequest, contestpb.GetReconciliationResponse>(client.getReconciliation, { contestId: 'c', ...tokens }),
  WatchContest: (tokens) => first(client.watchContest({ contestId: 'c', ...tokens })),
  WatchStandings: (tokens) => first(client.watchStandings(contestpb.WatchStandingsRequest.fromPartial({ contestId: 'c', ...tokens }))),
};

test('every query of contests is listed here', () => {
  const methods = Object.values(contestpb.ContestQueryServiceService).map(({ path }: { readonly path: string }) => path.split('/').at(-1));
  expect(Object.keys(QUERIES).sort()).toEqual(methods.sort());
});

test.each(Object.entries(QUERIES))('%s waits for every token of its request, and brings one that stands for all of them', async (_name, ask) => {
  let answered = false;
  const answer = ask({ positionToken: tokenOf([0, 1]), positionTokens: [tokenOf([0, 2]), tokenOf([1, 1])] }).finally(() => {
    answered = true;
  });
  await project(0, scores('c', [0, 1]));
  // A query that covers what is there now is answered; the other one still waits for the second partition.
  await ask({ positionToken: '', positionTokens: [tokenOf([0, 2])] });
  expect(answered).toBe(false);
  await project(1, createdEvent('other'));
  expect((await answer).positionToken).toBe(tokenOf([0, 2], [1, 1]));
});

test.each(Object.entries(QUERIES))('%s without a token brings none, and refuses tokens of two logs', async (_name, ask) => {
  expect((await ask(NO_TOKENS)).positionToken).toBe('');
  const ofTwoLogs = [tokenOf([0, 1]), encodePositionToken({ incarnation: 'cd'.repeat(16), sequences: new Map([[0, 1]]) })];
  const refused = await ask({ positionToken: '', positionTokens: ofTwoLogs }).catch((error: ServiceError) => error);
  expect([status[(refused as ServiceError).code], errorInfoOf(refused as ServiceError)?.reason]).toEqual(['INVALID_ARGUMENT', 'TOKEN_INVALID']);
});

test.each<[string, () => Promise<unknown>, string]>([
  [
    'a contest that is not there',
    () => asked<contestpb.GetContestRequest, contestpb.GetContestResponse>(client.getContest, { contestId: 'x', ...NO_TOKENS }),
    'CONTEST_NOT_FOUND',
  ],
  ['standings of one that is not there', () => standings({ contestId: 'x' }), 'CONTEST_NOT_FOUND'],
  ['scores of one that is not there', () => listed({ contestId: 'x' }), 'CONTEST_NOT_FOUND'],
  ['a side that is not there', () => standings({ sideId: 'green' }), 'CONTEST_SIDE_NOT_FOUND'],
  ['a member that is not there', () => standings({ accountId: 'nobody' }), 'CONTEST_MEMBER_NOT_FOUND'],
  ['a member of another side', () => standings({ sideId: 'blue', accountId: 'red0' }), 'CONTEST_MEMBER_NOT_FOUND'],
  ['an empty id', () => standings({ contestId: '' }), 'INVALID_REQUEST'],
  ['a member whose id is too long', () => standings({ accountId: 'x'.repeat(1_000_000) }), 'INVALID_REQUEST'],
  ['a side whose id is too long', () => standings({ sideId: 'x'.repeat(1_000_000) }), 'INVALID_REQUEST'],
  ['scores of a member whose id is too long', () => listed({ accountId: 'x'.repeat(129) }), 'INVALID_REQUEST'],
  [
    'a watched member whose id is too long',
    () => first(client.watchStandings(contestpb.WatchStandingsRequest.fromPartial({ contestId: 'c', accountId: 'x'.repeat(129) }))),
    'INVALID_REQUEST',
  ],
  ['a page that is too long', () => standings({ pageSize: 1_001 }), 'INVALID_REQUEST'],
  ['a token that is none', () => standings({ pageToken: 'x' }), 'PAGE_TOKEN_INVALID'],
  ['a phase that is none', () => contestsOf({ phase: 99 as contestpb.ContestPhase }), 'INVALID_REQUEST'],
  ['too many first members', () => first(client.watchStandings(contestpb.WatchStandingsRequest.fromPartial({ contestId: 'c', top: 101 }))), 'INVALID_REQUEST'],
])('%s is refused', async (_what, ask, reason) => {
  expect(await reasonOf(ask())).toBe(reason);
});

const names = ({ members }: contestpb.GetStandingsResponse): string[] => members.map(({ rank, accountId, points }) => `${rank} ${accountId} ${points}`);

test('standings are read from the first member on, around a member, and on in both directions', async () => {
  // Members 0 to 29 have 1 to 30 points, so the last one is first.
  await project(0, scores('c', ...Array.from({ length: MEMBERS }, (_, member) => [member, member + 1] as const)));
  const top = await standings({ pageSize: 3 });
  expect([names(top), top.memberCount, top.previousPageToken]).toEqual([['1 blue114 30', '2 blue113 29', '3 blue112 28'], MEMBERS, '']);
  const around = await standings({ accountId: 'red5', pageSize: 4 });
  expect(names(around)).toEqual(['23 red7 8', '24 red6 7', '25 red5 6', '26 red4 5']);
  expect(names(await standings({ pageSize: 4, pageToken: around.previousPageToken }))).toEqual(['19 red11 12', '20 red10 11', '21 red9 10', '22 red8 9']);
  const last = await standings({ pageSize: 4, pageToken: around.nextPageToken });
  expect([names(last), last.nextPageToken]).toEqual([['27 red3 4', '28 red2 3', '29 red1 2', '30 red0 1'], '']);
  expect(names(await standings({ accountId: 'red0', pageSize: 2 }))).toEqual(['29 red1 2', '30 red0 1']);
  expect(names(await standings({ sideId: 'red', pageSize: 2 }))).toEqual(['1 red14 15', '2 red13 14']);
  expect(await reasonOf(standings({ sideId: 'red', pageToken: top.nextPageToken }))).toBe('PAGE_TOKEN_INVALID');
});

test('a page goes on from its place although members have scored meanwhile', async () => {
  await project(0, scores('c', ...Array.from({ length: MEMBERS }, (_, member) => [member, member + 1] as const)));
  const page = await standings({ pageSize: 2 });
  await project(0, scores('c', [28, 100], [0, 50]));
  expect(names(await standings({ pageSize: 2, pageToken: page.nextPageToken }))).toEqual(['4 blue112 28', '5 blue111 27']);
});

test('standings are of one moment: rows of two are read again', async () => {
  await project(0, scores('c', [0, 1]));
  const copy = await store.current();
  const newest = (await copy.get(CONTESTS.name, 'c')) as Row;
  // The projector has written the points and not the contest yet.
  let reads = 0;
  const get = copy.get.bind(copy);
  copy.get = async (collection, key) => {
    const row = await get(collection, key);
    if (collection === CONTESTS.name) reads += 1;
    return collection === CONTESTS.name && reads === 1 ? { ...newest, standings_sequence: 1 } : row;
  };
  expect((await standings({ pageSize: 1 })).members).toMatchObject([{ accountId: 'red0', points: 1n }]);
  expect(reads).toBe(2);
});

test('scores are listed in both directions, of a round and of a member, and pages end within a commit', async () => {
  await project(0, scores('c', [0, 1], [1, 2], [2, 3]));
  await project(0, scores('c', [1, 4], [0, 5]));
  const all = async (request: Partial<contestpb.ListScoresRequest>): Promise<string[]> => {
    const found: string[] = [];
    let pageToken = '';
    do {
      const page = await listed({ ...request, pageToken });
      found.push(...page.scores.map(({ accountId, points }) => `${accountId} ${points}`));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return found;
  };
  const inOrder = ['red0 1', 'red1 2', 'red2 3', 'red1 4', 'red0 5'];
  for (const pageSize of [1, 2, 3, 5, 100]) {
    expect(await all({ pageSize })).toEqual(inOrder);
    expect(await all({ pageSize, newestFirst: true })).toEqual([...inOrder].reverse());
    expect(await all({ pageSize, accountId: 'red1', round: 1 })).toEqual(['red1 2', 'red1 4']);
    expect(await all({ pageSize, round: 2 })).toEqual([]);
  }
  expect((await listed({ pageSize: 1 })).scores).toMatchObject([{ requestId: 's0', sideId: 'red', round: 1, recordedAt: timestampFromUs(2 * SECOND_US) }]);
});

test('submitted scores are listed by state in the order of their submission, and one by its request', async () => {
  const submit = (requestId: string) => contestEvents.record('ScoreSubmitted', { contestId: 'c', requestId, accountId: 'm0', points: 3n, scoredAtUs: 0n });
  for (const requestId of ['late', 'good', 'bad']) await project(0, submit(requestId));
  const score = { requestId: 'good', accountId: 'm0', points: 3n, roundPoints: 3n, totalPoints: 3n, sideRoundPoints: 3n, submitted: true };
  await project(
    0,
    contestEvents.record('ScoresRecorded', { contestId: 'c', round: 1, scores: [contestpb.RecordedScore.fromPartial(score)] }),
    contestEvents.record('ScoreRefused', { contestId: 'c', requestId: 'bad', accountId: 'm0', reason: 'CONTEST_ROUND_LIMIT_EXCEEDED' }),
  );
  const { SUBMITTED_SCORE_STATE_SUBMITTED, SUBMITTED_SCORE_STATE_RECORDED, SUBMITTED_SCORE_STATE_REFUSED } = contestpb.SubmittedScoreState;
  const { scores } = await submissions({});
  expect(scores.map(({ requestId, state, round, reason, endedAt }) => [requestId, state, round, reason, endedAt !== undefined])).toEqual([
    ['late', SUBMITTED_SCORE_STATE_SUBMITTED, 0, '', false],
    ['good', SUBMITTED_SCORE_STATE_RECORDED, 1, '', true],
    ['bad', SUBMITTED_SCORE_STATE_REFUSED, 0, 'CONTEST_ROUND_LIMIT_EXCEEDED', true],
  ]);
  expect((await submissions({ state: SUBMITTED_SCORE_STATE_REFUSED })).scores).toEqual([scores[2]]);
  expect([(await submissions({ requestId: 'good' })).scores, (await submissions({ requestId: 'none' })).scores]).toEqual([[scores[1]], []]);
  const page = await submissions({ pageSize: 2 });
  expect((await submissions({ pageSize: 2, pageToken: page.nextPageToken })).scores).toEqual([scores[2]]);
});

test('rewards are listed by state, in the order of joining, with the sums of the money', async () => {
  expect(await rewards({})).toEqual({ rewards: [], nextPageToken: '', money: undefined, positionToken: '' });
  const owed = [20, 16, 28].map((member) => ({ member, accountId: `m${member}`, side: 1, amountMinor: 100n }));
  await project(0, contestEvents.record('FundHeld', { contestId: 'c', amountMinor: 400n }), ended('c'));
  await project(0, contestEvents.record('RewardsOwed', { contestId: 'c', round: 1, rewards: owed, nextMember: MEMBERS }));
  const verdicts = [
    { member: 16, accountId: 'm16', amountMinor: 100n, reason: '' },
    { member: 28, accountId: 'm28', amountMinor: 100n, reason: 'ACCOUNT_CLOSED' },
  ];
  await project(0, contestEvents.record('RewardsSettled', { contestId: 'c', rewards: verdicts }));
  const { REWARD_STATE_OUTSTANDING, REWARD_STATE_PAID, REWARD_STATE_RETURNED } = contestpb.RewardState;
  const all = await rewards({});
  expect(all.rewards.map(({ accountId, sideId, state, reason }) => [accountId, sideId, state, reason])).toEqual([
    ['m16', 'blue', REWARD_STATE_PAID, ''],
    ['m20', 'blue', REWARD_STATE_OUTSTANDING, ''],
    ['m28', 'blue', REWARD_STATE_RETURNED, 'ACCOUNT_CLOSED'],
  ]);
  expect(all.money).toMatchObject({ state: contestpb.ContestMoneyState.CONTEST_MONEY_STATE_HELD, heldMinor: 400n, paidMinor: 100n, returnedMinor: 0n });
  for (const [state, accountId] of [
    [REWARD_STATE_OUTSTANDING, 'm20'],
    [REWARD_STATE_PAID, 'm16'],
    [REWARD_STATE_RETURNED, 'm28'],
  ] as const)
    expect((await rewards({ state })).rewards.map((reward) => reward.accountId)).toEqual([accountId]);
  const page = await rewards({ pageSize: 2 });
  expect((await rewards({ pageSize: 2, pageToken: page.nextPageToken })).rewards.map(({ accountId }) => accountId)).toEqual(['m28']);
});

test('contests are listed by phase and by time, in both directions', async () => {
  await project(0, createdEvent('d'), createdEvent('e'));
  await project(0, createdEvent('f'));
  const ids = async (request: Partial<contestpb.ListContestsRequest>): Promise<string[]> =>
    (await contestsOf(request)).contests.map(({ contestId }) => contestId);
  expect(await ids({})).toEqual(['c', 'd', 'e', 'f']);
  expect(await ids({ newestFirst: true })).toEqual(['f', 'e', 'd', 'c']);
  expect(await ids({ phase: contestpb.ContestPhase.CONTEST_PHASE_CREATED })).toEqual(['d', 'e', 'f']);
  const times = { createdFrom: timestampFromUs(2 * SECOND_US), createdBefore: timestampFromUs(3 * SECOND_US) };
  expect(await ids(times)).toEqual(['d', 'e']);
  expect(await ids({ ...times, phase: contestpb.ContestPhase.CONTEST_PHASE_RUNNING })).toEqual([]);
  const page = await contestsOf({ pageSize: 3 });
  expect(await ids({ pageSize: 3, pageToken: page.nextPageToken })).toEqual(['f']);
});

test('a watch of a contest ends with it', async () => {
  const stream = client.watchContest({ contestId: 'c', ...NO_TOKENS });
  const phases: contestpb.ContestPhase[] = [];
  for await (const { contest } of stream as AsyncIterable<contestpb.WatchContestResponse>) {
    phases.push(contest?.phase ?? 0);
    if (phases.length === 1) await project(0, ended('c'));
  }
  expect(phases).toEqual([contestpb.ContestPhase.CONTEST_PHASE_RUNNING, contestpb.ContestPhase.CONTEST_PHASE_ENDED]);
});

test('a thousand watchers of one contest share one reading of each change', async () => {
  const WATCHERS = 1_000;
  const copy = await store.current();
  let standingsRead = 0;
  const get = copy.get.bind(copy);
  copy.get = (collection, key) => {
    if (collection === CONTEST_STANDINGS.name) standingsRead += 1;
    return get(collection, key);
  };
  const request = contestpb.WatchStandingsRequest.fromPartial({ contestId: 'c', top: 3, accountId: 'red0' });
  let begun = 0;
  const toldBy = Array.from({ length: WATCHERS }, async () => {
    const told: string[] = [];
    for await (const { members, member } of client.watchStandings(request) as AsyncIterable<contestpb.WatchStandingsResponse>) {
      told.push(`${members[0]?.accountId} ${members[0]?.points}, ${member?.rank} ${member?.points}`);
      begun += told.length === 1 ? 1 : 0;
    }
    return told;
  });
  while (begun < WATCHERS) await new Promise<void>((resolve) => setTimeout(resolve, 10));
  await project(0, scores('c', [7, 70]), ended('c'));
  for (const told of await Promise.all(toldBy)) expect(told).toEqual(['red0 0, 1 0', 'red7 70, 2 0']);
  // Once for those that began, and once for the change.
  expect(standingsRead).toBeLessThanOrEqual(3);
});

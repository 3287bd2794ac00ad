/** The projection of contests: what it has to read, and what it writes. */
import type { Row, RowWrite } from '@sluice/ports';
import { type DecodedCommit, type EventRecord, UnknownEventError } from '@sluice/protocol';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import type { LoadedRows } from '../projection';
import { CONTEST_COLLECTIONS } from './collections';
import { contestProjection } from './contest-projection';
import { standingsStateOf } from './contest-rows';
import { contestVerification } from './contest-verification';

const created = (contestId = 'c') =>
  contestEvents.record('ContestCreated', {
    contestId,
    rules: contestpb.ContestRules.fromPartial({ rounds: 2 }),
    sides: [
      { sideId: 'red', accountIds: ['r1'] },
      { sideId: 'blue', accountIds: [] },
    ],
    title: '',
  });
const joined = (firstMember: number, ...accountIds: string[]) => contestEvents.record('MembersJoined', { contestId: 'c', side: 1, firstMember, accountIds });
const roundStarted = (round: number, suddenDeathSides: number[] = [], contestId = 'c') =>
  contestEvents.record('RoundStarted', { contestId, round, endsAtUs: 0n, suddenDeathSides });
const scored = (round: number, ...scores: Partial<contestpb.RecordedScore>[]) =>
  contestEvents.record('ScoresRecorded', { contestId: 'c', round, scores: scores.map((score) => contestpb.RecordedScore.fromPartial(score)) });
const ended = (round: number, ...sidePoints: bigint[]) => contestEvents.record('RoundEnded', { contestId: 'c', round, sidePoints, scoreCount: 1n });
const reconciled = (round: number, points: bigint[], totals: bigint[], read?: contestpb.ReadTotals) =>
  contestEvents.record('RoundReconciled', {
    contestId: 'c',
    round,
    logSidePoints: points,
    logScoreCount: 1n,
    logSequence: 4n,
    logSideTotals: totals,
    read,
    notCompared: '',
  });
const red = (points: bigint, totalPoints = points) => ({ side: 0, member: 0, points, roundPoints: points, totalPoints, sideRoundPoints: points });

function commitOf(sequence: number, ...events: EventRecord[]): DecodedCommit {
  return { partition: 0, sequence, committedAtUs: 1_000_000 * sequence, events } as unknown as DecodedCommit;
}

/** The rows of a store without transactions: puts are guarded. */
class Rows {
  readonly byCollection = new Map<string, Map<string, Row>>(CONTEST_COLLECTIONS.map(({ name }) => [name, new Map()]));

  /** @param only collections that are written before the projector dies; undefined: all. */
  flush(commits: readonly DecodedCommit[], only?: readonly string[]): RowWrite[] {
    const fold = contestProjection.open(0, [], 100);
    for (const commit of commits) for (const event of commit.events) expect(fold.take(commit, event)).toBe(true);
    const { writes, setAside } = fold.project(this.loaded(fold.missing()), 'attempt');
    expect(setAside).toEqual([]);
    for (const write of writes) if (only?.includes(write.collection) ?? true) this.put(write);
    return writes;
  }

  get(collection: string, key = 'c'): Row {
    return this.byCollection.get(collection)?.get(key) ?? {};
  }

  points(): string {
    const { points, roundPoints } = standingsStateOf(this.get('contest_standings'));
    return `${points.join()} ${roundPoints.join()}`;
  }

  loaded(missing: ReadonlyMap<string, readonly string[]>): LoadedRows {
    const loaded = new Map<string, Map<string, Row>>();
    for (const [collection, keys] of missing) {
      const rows = this.byCollection.get(collection) as Map<string, Row>;
      loaded.set(collection, new Map(keys.flatMap((key) => (rows.has(key) ? [[key, rows.get(key) as Row] as const] : []))));
    }
    return loaded;
  }

  private put(write: RowWrite): void {
    if (write.kind !== 'put') throw new Error('a row is deleted');
    const definition = CONTEST_COLLECTIONS.find(({ name }) => name === write.collection);
    const key = write.row[definition?.key as string] as string;
    const rows = this.byCollection.get(write.collection) as Map<string, Row>;
    const isGuarded = definition?.guard !== undefined;
    if (!isGuarded || ((rows.get(key)?.sequence as number | undefined) ?? 0) < (write.row.sequence as number)) rows.set(key, write.row);
  }
}

const STORY = [
  commitOf(1, created()),
  commitOf(2, joined(1, 'b1', 'b2'), roundStarted(1)),
  commitOf(3, scored(1, red(3n)), scored(1, { side: 1, member: 2, points: 4n, roundPoints: 4n, totalPoints: 4n, sideRoundPoints: 4n })),
  commitOf(4, scored(1, red(5n)), ended(1, 5n, 4n)),
  commitOf(5, reconciled(1, [5n, 4n], [5n, 4n]), roundStarted(2)),
  commitOf(6, scored(2, { ...red(1n), totalPoints: 6n })),
];

test('a contest has its sides, its members and its rounds', () => {
  const rows = new Rows();
  rows.flush(STORY);
  expect(rows.get('contests')).toMatchObject({
    phase: 'RUNNING',
    round: 2,
    side_ids: '["red","blue"]',
    side_member_counts: '1,2',
    side_points: '6,4',
    side_round_points: '1,0',
    rounds_won: '1,0',
    score_count: 4,
    standings_sequence: 6,
    created_at_us: 1_000_000,
    started_at_us: 2_000_000,
    sequence: 6,
  });
  expect(rows.points()).toBe('6,0,4 1,0,0');
  expect(rows.get('contest_rosters')).toMatchObject({ account_ids: '["r1","b1","b2"]', sides: Uint8Array.of(0, 1, 1), sequence: 2 });
  expect(rows.get('contest_rounds', 'c#1')).toMatchObject({
    ended_at_us: 4_000_000,
    reconciled_at_us: 5_000_000,
    log_side_points: '5,4',
    log_side_totals: '5,4',
  });
});

test('however commits are cut into flushes, and wherever a projector dies, the rows are the same', () => {
  const whole = new Rows();
  whole.flush(STORY);
  for (let cut = 0; cut <= STORY.length; cut += 1) {
    for (const written of CONTEST_COLLECTIONS.map((_definition, at) => CONTEST_COLLECTIONS.slice(0, at).map(({ name }) => name))) {
      const rows = new Rows();
      rows.flush(STORY.slice(0, cut));
      // It dies in the middle of the next flush; the one after it is cut otherwise.
      rows.flush(STORY.slice(cut), written);
      rows.flush(STORY.slice(cut, cut + 1));
      rows.flush(STORY.slice(cut + 1));
      expect(rows.byCollection).toEqual(whole.byCollection);
    }
  }
});

test('a reconciliation replaces what the row says, and keeps both sums with their positions', () => {
  const rows = new Rows();
  rows.flush(STORY.slice(0, 3));
  rows.byCollection.get('contests')?.set('c', { ...rows.get('contests'), side_points: '1000,4', side_round_points: '3,9' });
  rows.flush(STORY.slice(3, 4));
  expect(rows.get('contests')).toMatchObject({ side_points: '1002,4', side_round_points: '5,9' });
  rows.flush([commitOf(5, reconciled(1, [5n, 4n], [5n, 4n], { sidePoints: [5n, 9n], sideTotals: [1_002n, 4n], sequence: 4n }))]);
  expect(rows.get('contests')).toMatchObject({ side_points: '5,4', side_round_points: '5,4' });
  expect(rows.get('contest_rounds', 'c#1')).toMatchObject({ read_side_points: '5,9', read_side_totals: '1002,4', read_sequence: 4, log_sequence: 4 });
});

test('points of a sudden death count in no total', () => {
  const rows = new Rows();
  rows.flush([...STORY, commitOf(7, ended(2, 1n, 0n)), commitOf(8, reconciled(2, [1n, 0n], [6n, 4n]), roundStarted(3, [0, 1]))]);
  rows.flush([commitOf(9, scored(3, { ...red(7n), totalPoints: 6n })), commitOf(10, ended(3, 7n, 0n)), commitOf(11, reconciled(3, [7n, 0n], [6n, 4n]))]);
  expect(rows.get('contests')).toMatchObject({ side_points: '6,4', side_round_points: '7,0', rounds_won: '2,0', sudden_death_sides: '0,1' });
  expect(rows.points()).toBe('6,0,4 7,0,0');
});

const money = (contestId = 'c') => ({
  asked: contestEvents.record('FundAsked', { contestId, fundAccountId: 'fund', amountMinor: 300n, unit: 'EUR', attempt: 1 }),
  refused: contestEvents.record('FundRefused', { contestId, reason: 'INSUFFICIENT_FUNDS' }),
  held: contestEvents.record('FundHeld', { contestId, amountMinor: 300n }),
  named: contestEvents.record('WinnersNamed', { contestId, sides: [1], round: 1, sideTotals: [] }),
  owed: contestEvents.record('RewardsOwed', {
    contestId,
    round: 1,
    rewards: [1, 2].map((member) => ({ member, accountId: `b${member}`, side: 1, amountMinor: 100n })),
    nextMember: 3,
  }),
  settled: (member: number, reason: string) =>
    contestEvents.record('RewardsSettled', { contestId, rewards: [{ member, accountId: `b${member}`, amountMinor: 100n, reason }] }),
  accounted: contestEvents.record('FundSettled', { contestId, heldMinor: 300n, paidMinor: 100n, returnedMinor: 200n }),
});

test('the money of a contest is shown as it stands, and each reward with its verdict, however commits are cut into flushes', () => {
  const { asked, refused, held, named, owed, settled, accounted } = money();
  const rows = new Rows();
  rows.flush([...STORY.slice(0, 1), commitOf(2, joined(1, 'b1', 'b2')), commitOf(3, asked)]);
  expect(rows.get('contests')).toMatchObject({ phase: 'STARTING', fund_state: 'ASKED', fund_amount_minor: 300n });
  rows.flush([commitOf(4, refused)]);
  expect(rows.get('contests')).toMatchObject({ phase: 'CREATED', fund_state: 'REFUSED', fund_reason: 'INSUFFICIENT_FUNDS' });
  rows.flush([commitOf(5, asked), commitOf(6, held, roundStarted(1))]);
  expect(rows.get('contests')).toMatchObject({ phase: 'RUNNING', fund_state: 'HELD', fund_reason: '' });
  const rest = [commitOf(7, named, owed), commitOf(8, settled(1, '')), commitOf(9, settled(2, 'ACCOUNT_CLOSED')), commitOf(10, accounted)];
  rows.flush(rest.slice(0, 2));
  expect(rows.get('contests')).toMatchObject({ phase: 'REWARDING', winners: '1', paid_minor: 100n, ended_at_us: 0 });
  expect(rows.get('contest_rewards', 'c#1')).toMatchObject({ account_id: 'b1', side: 1, amount_minor: 100n, state: 'PAID', settled_at_us: 8_000_000 });
  expect(rows.get('contest_rewards', 'c#2')).toMatchObject({ state: 'OUTSTANDING', settled_at_us: 0 });
  // The flush is repeated, cut otherwise.
  rows.flush(rest);
  expect(rows.get('contests')).toMatchObject({ phase: 'ENDED', fund_state: 'SETTLED', paid_minor: 100n, returned_minor: 200n, ended_at_us: 10_000_000 });
  expect(rows.get('contest_rewards', 'c#2')).toMatchObject({ state: 'RETURNED', reason: 'ACCOUNT_CLOSED' });
});

test('a contest that was cancelled stays so while its fund gets its money back', () => {
  const { asked, held, accounted } = money();
  const rows = new Rows();
  const cancelled = contestEvents.record('ContestCancelled', { contestId: 'c', note: 'rain' });
  rows.flush([commitOf(1, created()), commitOf(2, asked), commitOf(3, cancelled), commitOf(4, held), commitOf(5, accounted)]);
  expect(rows.get('contests')).toMatchObject({ phase: 'CANCELLED', note: 'rain', fund_state: 'SETTLED', ended_at_us: 3_000_000 });
});

test('a submitted score is shown when it is recorded, and one that is refused is not', () => {
  const rows = new Rows();
  const submitted = (requestId: string) => contestEvents.record('ScoreSubmitted', { contestId: 'c', requestId, accountId: 'r1', points: 3n, scoredAtUs: 0n });
  const before = [commitOf(1, created(), roundStarted(1))];
  rows.flush(before);
  const contest = rows.get('contests');
  rows.flush([commitOf(2, submitted('s1'), submitted('s2'))]);
  expect(rows.get('contests')).toEqual(contest);
  const refused = contestEvents.record('ScoreRefused', { contestId: 'c', requestId: 's2', accountId: 'r1', reason: 'CONTEST_SIDE_OUT' });
  rows.flush([commitOf(3, scored(1, { ...red(3n), requestId: 's1', submitted: true }), refused)]);
  expect(rows.get('contests')).toMatchObject({ score_count: 1 });
});

test('scores of a commit are rows of 256, whatever flush they are in', () => {
  const rows = new Rows();
  const many = Array.from({ length: 300 }, (_, at) => ({ ...red(BigInt(at + 1)), requestId: `s${at}` }));
  rows.flush(STORY.slice(0, 2));
  rows.flush([commitOf(3, scored(1, ...many.slice(0, 200)), scored(1, ...many.slice(200))), commitOf(4, scored(1, ...many.slice(0, 1)))]);
  const found = [...(rows.byCollection.get('contest_scores') ?? [])].map(([key, row]) => [
    key,
    contestpb.ScoreRow.decode(row.scores as Uint8Array).scores.length,
  ]);
  expect(found).toEqual([
    ['c#3#0', 256],
    ['c#3#1', 44],
    ['c#4#0', 1],
  ]);
});

test('a contest that cannot be folded is set aside from its first event of the flush on; the others go on', () => {
  const fold = contestProjection.open(0, [], 100);
  const commits = [commitOf(7, roundStarted(1, [], 'lost'), created('other')), commitOf(8, roundStarted(1, [], 'other'))];
  for (const commit of commits) for (const event of commit.events) fold.take(commit, event);
  fold.missing();
  const { writes, setAside } = fold.project(new Map(), 'attempt');
  expect(setAside).toEqual([{ aggregate: 'contest', key: 'lost', partition: 0, sequence: 7, error: 'the log goes on with what the read store does not have' }]);
  expect(new Set(writes.flatMap((write) => (write.kind === 'put' ? [write.row.contest_id] : [])))).toEqual(new Set(['other']));
  // So does the next projector, which reads what is set aside.
  const reopened = contestProjection.open(0, setAside, 100);
  for (const event of commits[0]?.events ?? []) reopened.take(commits[0] as DecodedCommit, event);
  expect([...reopened.missing()].flatMap(([, keys]) => keys)).not.toContain('lost');
});

test('an event of a later version stops the partition', () => {
  const fold = contestProjection.open(0, [], 100);
  const unknown = { ...created(), version: 99 };
  expect(() => fold.take(commitOf(1, unknown), unknown)).toThrow(UnknownEventError);
});

test.each`
  aggregate      | key
  ${'contest'}   | ${'cup#1/final'}
  ${'standings'} | ${'cup#1/final'}
  ${'round'}     | ${'cup#1/final#3'}
  ${'scores'}    | ${'cup#1/final#17#0'}
  ${'reward'}    | ${'cup#1/final#17'}
`('a $aggregate is in the partition of its contest', ({ aggregate, key }: { aggregate: string; key: string }) => {
  expect(contestVerification.kinds.find((kind) => kind.aggregate === aggregate)?.partitionKey(key)).toBe('cup#1/final');
});

/**
 * The rows of one contest in one flush: those that were there, and what its events make of them. Each row skips what it has already, by its
 * sequence. The rows leave together or not at all.
 *
 * No row is kept in memory from one flush to the next: a contest has few, and points that were changed in the read store by another hand stay as
 * they are until the reconciliation of the round finds them.
 */
import type { Row, RowWrite } from '@sluice/ports';
import { ByteWriter } from '@sluice/protocol';
import type { RecordedScores } from '@sluice/protocol/contest';
import type { CommitPlace } from '../projection';
import {
  CONTEST_REWARDS,
  CONTEST_ROSTERS,
  CONTEST_ROUNDS,
  CONTEST_SCORES,
  CONTEST_STANDINGS,
  CONTEST_SUBMISSIONS,
  CONTESTS,
  rewardIdOf,
  roundIdOf,
  SCORES_PER_ROW,
  scoresIdOf,
  submissionIdOf,
} from './collections';
import {
  contestFields,
  contestStateOf,
  type RewardState,
  rewardFields,
  rewardStateOf,
  rosterFields,
  rosterStateOf,
  roundFields,
  roundStateOf,
  standingsFields,
  standingsStateOf,
  type SubmissionState,
  submissionFields,
  submissionStateOf,
  type ContestState,
  type RosterState,
  type RoundState,
  type StandingsState,
} from './contest-rows';

/** Rows by collection and key, as they were before the flush. */
export type RowsBefore = (collection: string, key: string) => Row | undefined;

/** A row with the sequence that it reflects; 0: it is not there. */
class Folded<State> {
  private changed = false;

  constructor(
    private state: State | undefined,
    private sequence: number,
  ) {}

  /** @param change gets the state; undefined: there is none yet. It may change it in place. */
  apply({ sequence }: CommitPlace, change: (state: State | undefined) => State): void {
    if (sequence < this.sequence || (sequence === this.sequence && !this.changed)) return;
    this.state = change(this.state);
    this.sequence = sequence;
    this.changed = true;
  }

  /** Undefined: nothing has changed. */
  fields(fieldsOf: (state: State) => Row): Row | undefined {
    return this.changed && this.state !== undefined ? { ...fieldsOf(this.state), sequence: this.sequence } : undefined;
  }
}

function foldedOf<State>(row: Row | undefined, stateOf: (row: Row) => State): Folded<State> {
  return row === undefined ? new Folded<State>(undefined, 0) : new Folded(stateOf(row), row.sequence as number);
}

/** A row of scores that is being filled. */
interface OpenPart {
  readonly at: CommitPlace;
  readonly round: number;
  readonly number: number;
  scoreCount: number;
}

/** sluice.contest.v1.ScoreRow: its scores have the tag that they have in the event, so their bytes are copied. */
const ROUND_TAG = 0x10;
/** Bytes of the open part. */
const partBytes = new ByteWriter(64 * 1024);

export class ContestRowsOfFlush {
  private readonly contest: Folded<ContestState>;
  private readonly standings: Folded<StandingsState>;
  private readonly rounds = new Map<number, Folded<RoundState>>();
  private readonly rewards = new Map<number, Folded<RewardState>>();
  private readonly submissions = new Map<string, Folded<SubmissionState>>();
  private readonly scoreRows: Row[] = [];
  private roster: Folded<RosterState> | undefined;
  private part: OpenPart | undefined;

  constructor(
    private readonly contestId: string,
    private readonly partition: number,
    private readonly before: RowsBefore,
  ) {
    this.contest = foldedOf(before(CONTESTS.name, contestId), contestStateOf);
    this.standings = foldedOf(before(CONTEST_STANDINGS.name, contestId), standingsStateOf);
  }

  createContest(at: CommitPlace, contest: ContestState, standings: StandingsState, roster: RosterState): void {
    this.contest.apply(at, () => contest);
    this.standings.apply(at, () => standings);
    this.rosterRow().apply(at, () => roster);
  }

  /** Throws if the contest was never created. */
  changeContest(at: CommitPlace, change: (contest: ContestState) => void): void {
    this.contest.apply(at, (state) => changed(state, change));
  }

  changeStandings(at: CommitPlace, change: (standings: StandingsState) => void): void {
    this.standings.apply(at, (state) => changed(state, change));
    this.changeContest(at, (contest) => {
      contest.standingsSequence = at.sequence;
    });
  }

  changeRoster(at: CommitPlace, change: (roster: RosterState) => void): void {
    this.rosterRow().apply(at, (state) => changed(state, change));
  }

  beginRound(at: CommitPlace, round: RoundState): void {
    this.roundRow(round.round).apply(at, () => round);
  }

  changeRound(at: CommitPlace, round: number, change: (state: RoundState) => void): void {
    this.roundRow(round).apply(at, (state) => changed(state, change));
  }

  oweReward(at: CommitPlace, reward: RewardState): void {
    this.rewardRow(reward.member).apply(at, () => reward);
  }

  changeReward(at: CommitPlace, member: number, change: (state: RewardState) => void): void {
    this.rewardRow(member).apply(at, (state) => changed(state, change));
  }

  submit(at: CommitPlace, submission: SubmissionState): void {
    this.submissionRow(submission.requestId).apply(at, () => submission);
  }

  /** @param reason why it was refused; empty: it was recorded in the round. */
  endSubmission(at: CommitPlace, requestId: string, reason: string, round: number): void {
    this.submissionRow(requestId).apply(at, (state) =>
      changed(state, (submission) => {
        submission.state = reason === '' ? 'RECORDED' : 'REFUSED';
        submission.reason = reason;
        submission.round = round;
        submission.endedAtUs = at.committedAtUs;
      }),
    );
  }

  addScores(at: CommitPlace, recorded: RecordedScores): void {
    const { payload, round } = recorded;
    recorded.forEachOutcome(({ startAt, endAt }) => {
      let { part } = this;
      if (part === undefined || part.at.sequence !== at.sequence || part.round !== round || part.scoreCount === SCORES_PER_ROW) {
        const number: number = part?.at.sequence === at.sequence ? part.number + 1 : 0;
        this.closePart();
        part = { at, round, number, scoreCount: 0 };
        this.part = part;
        partBytes.reset();
        partBytes.numberField(ROUND_TAG, round);
      }
      part.scoreCount += 1;
      partBytes.raw(payload, startAt, endAt);
    });
  }

  /** In the order in which they must become visible: what is pointed to comes first. */
  writes(): RowWrite[] {
    this.closePart();
    const { contestId, partition } = this;
    const writes: RowWrite[] = [];
    const put = (collection: string, row: Row | undefined): void => {
      if (row !== undefined) writes.push({ kind: 'put', collection, row: { ...row, contest_id: contestId, partition } });
    };
    put(CONTEST_ROSTERS.name, this.roster?.fields(rosterFields));
    for (const row of this.scoreRows) put(CONTEST_SCORES.name, row);
    for (const [round, row] of this.rounds) {
      const fields = row.fields(roundFields);
      put(CONTEST_ROUNDS.name, fields && { ...fields, round_id: roundIdOf(contestId, round) });
    }
    for (const [member, row] of this.rewards) {
      const fields = row.fields(rewardFields);
      put(CONTEST_REWARDS.name, fields && { ...fields, reward_id: rewardIdOf(contestId, member) });
    }
    for (const [requestId, row] of this.submissions) {
      const fields = row.fields(submissionFields);
      put(CONTEST_SUBMISSIONS.name, fields && { ...fields, submission_id: submissionIdOf(contestId, requestId) });
    }
    put(CONTEST_STANDINGS.name, this.standings.fields(standingsFields));
    put(CONTESTS.name, this.contest.fields(contestFields));
    return writes;
  }

  private closePart(): void {
    const { contestId, part } = this;
    this.part = undefined;
    if (part === undefined) return;
    const { at, round, number } = part;
    const bytes = partBytes.copy();
    const { sequence, committedAtUs } = at;
    this.scoreRows.push({ scores_id: scoresIdOf(contestId, sequence, number), round, part: number, recorded_at_us: committedAtUs, scores: bytes, sequence });
  }

  private rosterRow(): Folded<RosterState> {
    this.roster ??= foldedOf(this.before(CONTEST_ROSTERS.name, this.contestId), rosterStateOf);
    return this.roster;
  }

  private rewardRow(member: number): Folded<RewardState> {
    return this.rowIn(this.rewards, member, CONTEST_REWARDS.name, rewardIdOf(this.contestId, member), rewardStateOf);
  }

  private roundRow(round: number): Folded<RoundState> {
    return this.rowIn(this.rounds, round, CONTEST_ROUNDS.name, roundIdOf(this.contestId, round), roundStateOf);
  }

  private submissionRow(requestId: string): Folded<SubmissionState> {
    return this.rowIn(this.submissions, requestId, CONTEST_SUBMISSIONS.name, submissionIdOf(this.contestId, requestId), submissionStateOf);
  }

  private rowIn<Name, State>(rows: Map<Name, Folded<State>>, name: Name, collection: string, key: string, stateOf: (row: Row) => State): Folded<State> {
    let row = rows.get(name);
    if (row === undefined) {
      row = foldedOf(this.before(collection, key), stateOf);
      rows.set(name, row);
    }
    return row;
  }
}

function changed<State>(state: State | undefined, change: (state: State) => void): State {
  if (state === undefined) throw new Error('the log goes on with what the read store does not have');
  change(state);
  return state;
}

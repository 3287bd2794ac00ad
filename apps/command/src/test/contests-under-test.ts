/** Contests, and accounts beside them, as tests call them. */
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import type { Account } from '@sluice/domain/account';
import { readCommit, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import { accountpb, decodedAccountEvents } from '@sluice/protocol/account';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { functionOf } from '@sluice/service';
import type { AccountState } from '../account/account-state';
import { AggregatesUnderTest, CALL, type Asked } from './aggregates-under-test';
import { MortalLog, type Mortality } from './mortal-log';
import type { History } from './recorded-history';

const PARTITIONS = 2;

type Methods = typeof contestpb.ContestCommandServiceService;
const CONTESTS = {
  name: 'contest',
  partitions: PARTITIONS,
  service: contestpb.ContestCommandServiceService,
  messages: contestpb,
  defaults: { contestId: 'c' },
};

export class ContestsUnderTest extends AggregatesUnderTest<Methods> {
  static start(adapter = 'memory'): Promise<ContestsUnderTest> {
    return new ContestsUnderTest(CONTESTS, adapter).run();
  }

  /** Starts over the commits of a history. */
  static over(commits: History['commits']): Promise<ContestsUnderTest> {
    return new ContestsUnderTest(CONTESTS, 'memory').run(commits);
  }

  static immortal(): Mortality {
    return MortalLog.immortal();
  }

  /** Whether all partitions are served. */
  get isServing(): boolean {
    const engine = this.runtime?.engine;
    return Array.from({ length: PARTITIONS }, (_, partition) => engine?.partition(partition)?.state === 'serving').every(Boolean);
  }

  /** Events of contests and accounts in the log in memory, by name. */
  recorded(): Record<string, unknown[]> {
    const events: Record<string, unknown[]> = {};
    for (const { commit, event } of this.events()) {
      const table = contestEvents.owns(event.type) ? contestEvents : decodedAccountEvents;
      if (!table.owns(event.type)) continue;
      const name = event.type.slice(event.type.indexOf('.') + 1);
      (events[name] ??= []).push((table.readOnly as (name: string, event: EventRecord, place: DecodedCommit) => unknown).call(table, name, event, commit));
    }
    return events;
  }

  /** The postings in the log in memory. */
  postings(): accountpb.Posting[] {
    const events = (this.recorded()['PostingsRecorded'] ?? []) as accountpb.PostingsRecorded[];
    return events.flatMap(({ accounts }) => accounts.flatMap(({ requests }) => requests?.postings ?? []));
  }

  private *events(): Generator<{ commit: DecodedCommit; event: EventRecord }> {
    for (const commits of this.storage.partitions) {
      for (const { bytes } of commits) {
        const commit = readCommit(bytes);
        for (const event of commit.events) yield { commit, event };
      }
    }
  }

  /** Sends the scores on one stream, and resolves with the answers. */
  async stream(scores: readonly Asked[]): Promise<contestpb.ScoreStreamResponse[]> {
    const definition = contestpb.ContestCommandServiceService.scoreStream;
    const registration = this.runtime?.registrations.find((one) => 'scoreStream' in one.definition);
    const carried = functionOf(registration?.implementation['scoreStream'] as object);
    if (carried?.form !== 'bidi') throw new Error('scoreStream is no stream');
    const answers: contestpb.ScoreStreamResponse[] = [];
    const send = (answer: unknown): undefined => void answers.push(definition.responseDeserialize(answer as Buffer));
    const sent = async function* (): AsyncGenerator<Buffer> {
      for (const score of scores) yield definition.requestSerialize(contestpb.ScoreStreamRequest.fromPartial({ score }));
    };
    await carried.run(sent() as never, send, CALL);
    return answers;
  }

  /** Opens an account with that balance. */
  async open(accountId: string, balanceMinor = 0n, { unit = 'EUR', ...rest }: Partial<accountpb.AccountOpening> = {}): Promise<void> {
    const account = accountpb.AccountOpening.fromPartial({ requestId: `open ${accountId}`, accountId, unit, ...rest });
    await this.answerOf('openAccount', { account });
    if (balanceMinor !== 0n) await this.post(accountId, 'POSTING_TYPE_CREDIT', balanceMinor, unit);
  }

  async post(accountId: string, type: keyof typeof accountpb.PostingType, amountMinor: bigint, unit = 'EUR'): Promise<void> {
    const posting = { requestId: `post ${accountId} ${type}`, accountId, type: accountpb.PostingType[type], amountMinor, unit };
    await this.answerOf('post', Buffer.from(accountpb.PostRequest.encode(accountpb.PostRequest.fromPartial({ posting })).finish()));
  }

  /** Asks for a change of an account, like its end: "closeAccount". */
  async change(method: string, accountId: string): Promise<void> {
    await this.answerOf(method, { requestId: `${method} ${accountId}`, accountId, note: '' });
  }

  /** Orders a transfer as a caller does. */
  async transfer(transfer: Asked): Promise<void> {
    await this.answerOf('transfer', Buffer.from(accountpb.TransferRequest.encode(accountpb.TransferRequest.fromPartial({ transfer })).finish()));
  }

  /** An account as its partition has it. */
  account(accountId: string): Account {
    const id = Buffer.from(accountId, 'utf8');
    const state = this.runtime?.engine.partition(partitionOfKey(id, PARTITIONS))?.stateOf('account') as AccountState;
    return state.postings.account(state.postings.ordinalOf(id, 0, id.length));
  }

  balances(...accountIds: string[]): bigint[] {
    return accountIds.map((accountId) => this.account(accountId).balanceMinor);
  }

  async create(rules: Asked = {}, contestId = 'c'): Promise<void> {
    const sides = [
      { sideId: 'red', accountIds: ['r1', 'r2'] },
      { sideId: 'blue', accountIds: ['b1'] },
    ];
    await this.call('createContest', { contestId, rules, sides });
  }

  /** The state of a contest as its partition has it. */
  contest(contestId = 'c'): Contest {
    const partition = partitionOfKey(Buffer.from(contestId, 'utf8'), PARTITIONS);
    return this.stateOf(partition, 'contest', contestId) as Contest;
  }

  /** Fires what is due, and waits until the contest is as it should be. */
  async until(is: (contest: Contest) => boolean, contestId = 'c'): Promise<Contest> {
    for (let round = 0; ; round += 1) {
      // What is due now may become due by what is fired.
      if (round % 50 === 0) await this.fireDue();
      const contest = this.contest(contestId);
      if (is(contest)) return contest;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

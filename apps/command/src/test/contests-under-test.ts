/** Contests over memory adapters or a SQLite log, called without a network. Stopping, crashing and starting again keep the log and the snapshots. */
import { join } from 'node:path';
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import { SILENT_OBSERVER, type AggregateState } from '@sluice/engine';
import { InProcessBus, ManualClock, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import type { EventLog } from '@sluice/ports';
import type { Account } from '@sluice/domain/account';
import { readCommit, type DecodedCommit, type EventRecord } from '@sluice/protocol';
import { accountpb, decodedAccountEvents } from '@sluice/protocol/account';
import { contestEvents, contestpb } from '@sluice/protocol/contest';
import { ANYBODY, functionOf, type CallContext } from '@sluice/service';
import { SqliteEventLog } from '@sluice/store-sqlite';
import type { AccountState } from '../account/account-state';
import { startCommand, type CommandRuntime } from '../command';
import { MortalLog, type Mortality } from './mortal-log';
import { commitsOf, fillLog, type History } from './recorded-history';

const INCARNATION = '00112233445566778899aabbccddeeff';
const PARTITIONS = 2;
const CALL = { caller: ANYBODY, ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;

type Methods = typeof contestpb.ContestCommandServiceService;
/** A request with fields left out. */
export type Asked = Readonly<Record<string, unknown>>;

export class ContestsUnderTest {
  readonly clock = new ManualClock();
  /** What was told to the operator. */
  readonly troubles: string[] = [];
  private readonly storage = new MemoryLogStorage({ partitions: PARTITIONS, incarnation: INCARNATION, createdAtUs: 1_767_225_600_000_000 });
  private readonly blocks: MemoryBlocks = new Map();
  private readonly keys = new Map<string, Uint8Array>();
  private log: EventLog | undefined;
  private runtime: CommandRuntime | undefined;
  private requests = 0;
  /** When the process dies, if it does. */
  mortality = MortalLog.immortal();

  /** @param folder of the SQLite log; undefined: the log is in memory. */
  private constructor(private readonly folder: string | undefined) {}

  static async start(folder?: string): Promise<ContestsUnderTest> {
    const contests = new ContestsUnderTest(folder);
    await contests.run();
    return contests;
  }

  /** Starts over the commits of a history. */
  static async over(commits: History['commits']): Promise<ContestsUnderTest> {
    const contests = new ContestsUnderTest(undefined);
    fillLog(contests.storage, commits);
    await contests.run();
    return contests;
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

  /** The log in memory: base64, by partition. */
  commits(): string[][] {
    return commitsOf(this.storage);
  }

  private async run(): Promise<void> {
    const { folder, clock } = this;
    this.log =
      folder === undefined ? new MortalLog(this.storage, this.mortality) : await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
    this.runtime = await startCommand({
      log: this.log,
      snapshots: new MemorySnapshotStore(this.blocks),
      bus: new InProcessBus({ clock }),
      keyring: new MemoryKeyring(this.keys),
      clock,
      instanceId: 'contests-under-test',
      pool: 'off',
      limits: { doubtMs: 0 },
      observer: { ...SILENT_OBSERVER, trouble: (_partition, what, error) => void this.troubles.push(`${what}: ${String(error)}`) },
    });
  }

  async stop(): Promise<void> {
    await this.runtime?.stop();
    this.runtime = undefined;
    await this.log?.close();
  }

  /** Ends in order, with a snapshot, and starts again. */
  async restart(): Promise<void> {
    await this.stop();
    await this.run();
  }

  /** The process dies without leaving a snapshot. */
  async crash(): Promise<void> {
    await this.runtime?.engine.stop({ snapshot: false });
    await this.log?.close();
    await this.run();
  }

  /** Calls a method. A request id is made where none is given. */
  async call<Method extends keyof Methods>(method: Method, request: Asked): Promise<ReturnType<Methods[Method]['responseDeserialize']>> {
    this.requests += 1;
    const definition = contestpb.ContestCommandServiceService[method];
    const message = { requestId: `request ${this.requests}`, contestId: 'c', ...request };
    const answer = await this.answerOf(method, definition.requestSerialize(filled(method, message) as never));
    return definition.responseDeserialize(answer as Buffer) as ReturnType<Methods[Method]['responseDeserialize']>;
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

  private async answerOf(method: string, request: unknown): Promise<unknown> {
    const registration = this.runtime?.registrations.find(({ definition }) => method in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    return carried.run(request as never, CALL);
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

  /** Why the method refuses; throws if it does not. */
  async refusal(method: keyof Methods, request: Asked): Promise<string> {
    return this.call(method, request).then(
      () => Promise.reject(new Error(`${method} was not refused`)),
      (error: unknown) => (error as { reason?: string }).reason ?? String(error),
    );
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
    return (this.runtime?.engine.partition(partition)?.stateOf('contest') as AggregateState).stateOf('contest', contestId) as Contest;
  }

  /** What the scheduler does: it asks the owner for what is due. */
  async fireDue(): Promise<void> {
    const timers = this.runtime?.engine.timers;
    for (const partition of timers?.partitions ?? []) await timers?.of(partition)?.fire(this.clock.nowUs());
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

function filled(method: string, request: Asked): unknown {
  const name = `${method[0]?.toUpperCase() ?? ''}${method.slice(1)}Request`;
  const message = (contestpb as unknown as Record<string, { fromPartial(partial: object): unknown }>)[name];
  if (message === undefined) throw new Error(`there is no ${name}`);
  return message.fromPartial(request);
}

/** Contests over memory adapters or a SQLite log, called without a network. Stopping, crashing and starting again keep the log and the snapshots. */
import { join } from 'node:path';
import { partitionOfKey } from '@sluice/domain';
import type { Contest } from '@sluice/domain/contest';
import { SILENT_OBSERVER, type AggregateState } from '@sluice/engine';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import type { EventLog } from '@sluice/ports';
import { contestpb } from '@sluice/protocol/contest';
import { ANYBODY, functionOf, type CallContext } from '@sluice/service';
import { SqliteEventLog } from '@sluice/store-sqlite';
import { startCommand, type CommandRuntime } from '../command';
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

  /** The log in memory: base64, by partition. */
  commits(): string[][] {
    return commitsOf(this.storage);
  }

  private async run(): Promise<void> {
    const { folder, clock } = this;
    this.log = folder === undefined ? new MemoryEventLog(this.storage) : await SqliteEventLog.open({ file: join(folder, 'log.db'), partitions: PARTITIONS });
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
    const registration = this.runtime?.registrations.find(({ definition }) => method in definition);
    const carried = functionOf(registration?.implementation[method] as object);
    if (carried?.form !== 'unary') throw new Error(`no service has ${method}`);
    this.requests += 1;
    const definition = contestpb.ContestCommandServiceService[method];
    const message = { requestId: `request ${this.requests}`, contestId: 'c', ...request };
    const answer = await carried.run(definition.requestSerialize(filled(method, message) as never) as never, CALL);
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
  async until(is: (contest: Contest) => boolean): Promise<Contest> {
    await this.fireDue();
    for (;;) {
      const contest = this.contest();
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

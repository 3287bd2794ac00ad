/**
 * The command service over memory adapters, called without a network: what a caller sends and gets, byte for byte. Stopping, crashing and
 * starting again keep the log, the snapshots and the keys.
 */
import { keyHash } from '@sluice/domain';
import type { CommitToAppend, SnapshotStore } from '@sluice/ports';
import { InProcessBus, ManualClock, MemoryEventLog, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks, type MemoryKeys } from '@sluice/memory';
import { readCommit, type DecodedCommit } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { functionOf, SluiceError, type CallContext } from '@sluice/service';
import { keyedHash, lastHash, requestHash, SILENT_OBSERVER, type EngineObserver, type PartitionLimits, type PoolMode } from '@sluice/engine';
import { startCommand, type CommandRuntime } from '../command';
import { RecordedKeyring } from './recorded-keyring';

export interface CommandOptions {
  readonly partitions?: number;
  readonly pool?: PoolMode;
  readonly poolThreads?: number;
  readonly missingKeys?: 'refuse' | 'accept';
  readonly limits?: Partial<PartitionLimits>;
  readonly incarnation?: string;
  /** What the log takes in one commit. */
  readonly maximumCommitBytes?: number;
}

export interface Trouble {
  readonly partition: number;
  readonly what: string;
  readonly error: unknown;
}

const underTest = new Set<CommandUnderTest>();

/** The snapshots as a process sees them: when it is dead it changes nothing any more. */
class MortalSnapshots extends MemorySnapshotStore {
  dead = false;

  override async put(blocks: Parameters<SnapshotStore['put']>[0]): Promise<void> {
    if (!this.dead) await super.put(blocks);
  }

  override async remove(prefix: string): Promise<void> {
    if (!this.dead) await super.remove(prefix);
  }
}

/** Nobody waits elsewhere: no deadline, no cancelling. */
const CALL = { ended: false, forwarded: false, deadlineMs: Number.POSITIVE_INFINITY } as CallContext;

export class CommandUnderTest {
  /** Who calls from now on. */
  caller = 'the caller';
  readonly clock = new ManualClock();
  readonly troubles: Trouble[] = [];
  log: MemoryEventLog;
  keyring: RecordedKeyring;
  private snapshots: MortalSnapshots;
  private runtime: CommandRuntime | undefined;

  private constructor(
    readonly storage: MemoryLogStorage,
    readonly blocks: MemoryBlocks,
    readonly keys: MemoryKeys,
    private readonly options: CommandOptions,
  ) {
    this.log = new MemoryEventLog(storage);
    this.keyring = new RecordedKeyring(keys);
    this.snapshots = new MortalSnapshots(blocks);
    underTest.add(this);
  }

  /** For afterAll: no thread outlives the tests. */
  static async stopAll(): Promise<void> {
    await Promise.all([...underTest].map((command) => command.stop()));
    underTest.clear();
  }

  static async start(options: CommandOptions = {}): Promise<CommandUnderTest> {
    const { partitions = 2, incarnation = '00112233445566778899aabbccddeeff' } = options;
    const storage = new MemoryLogStorage({ partitions, incarnation, createdAtUs: 1_767_225_600_000_000 });
    const started = new CommandUnderTest(storage, new Map(), new Map(), options);
    await started.run();
    return started;
  }

  /** Starts over commits that are there already. */
  static async over(commits: readonly CommitToAppend[], options: CommandOptions & { incarnation: string; partitions: number }): Promise<CommandUnderTest> {
    const { partitions, incarnation } = options;
    const storage = new MemoryLogStorage({ partitions, incarnation, createdAtUs: 1_767_225_600_000_000 });
    for (const commit of commits) storage.commitsOf(commit.partition).push(commit);
    const started = new CommandUnderTest(storage, new Map(), new Map(), options);
    await started.run();
    return started;
  }

  get engine(): CommandRuntime['engine'] {
    return this.running.engine;
  }

  private get running(): CommandRuntime {
    if (this.runtime === undefined) throw new Error('the command service does not run');
    return this.runtime;
  }

  private async run(): Promise<void> {
    const observer: EngineObserver = { ...SILENT_OBSERVER, trouble: (partition, what, error) => void this.troubles.push({ partition, what, error }) };
    const { pool = 'off', poolThreads, missingKeys, limits, maximumCommitBytes } = this.options;
    if (maximumCommitBytes !== undefined) this.log.maximumCommitBytes = maximumCommitBytes;
    this.keyring = new RecordedKeyring(this.keys);
    this.runtime = await startCommand({
      log: this.log,
      snapshots: this.snapshots,
      bus: new InProcessBus({ clock: this.clock }),
      keyring: this.keyring,
      clock: this.clock,
      instanceId: 'instance-under-test',
      pool,
      poolThreads,
      missingKeys,
      observer,
      // An append that fails drops the memory at once, so that tests of lost turns need not wait for it.
      limits: { doubtMs: 0, ...limits },
    });
  }

  async stop(): Promise<void> {
    const { runtime } = this;
    this.runtime = undefined;
    await runtime?.stop();
  }

  /** An orderly stop, with snapshots, and a new start. */
  async restart(): Promise<void> {
    await this.stop();
    await this.start();
  }

  /** The process dies: what was not durable is gone, and nothing of it reaches the log any more. */
  async crash(): Promise<void> {
    await this.log.close();
    this.snapshots.dead = true;
    await this.running.engine.stop({ snapshot: false });
    this.runtime = undefined;
    await this.start();
  }

  private async start(): Promise<void> {
    this.log = new MemoryEventLog(this.storage);
    this.snapshots = new MortalSnapshots(this.blocks);
    await this.run();
  }

  // ---- what callers send ----

  async post(posting: Partial<accountpb.Posting>): Promise<accountpb.PostResponse> {
    return this.postBytes(accountpb.PostRequest.encode(accountpb.PostRequest.fromPartial({ posting })).finish());
  }

  async postBytes(request: Uint8Array): Promise<accountpb.PostResponse> {
    return accountpb.PostResponse.decode(await this.unary<Buffer>('post', Buffer.from(request)));
  }

  async batch(postings: readonly Partial<accountpb.Posting>[], options: { atomic?: boolean } = {}): Promise<accountpb.PostBatchResponse> {
    const request = accountpb.PostBatchRequest.fromPartial({ postings: [...postings], atomic: options.atomic ?? false });
    return this.batchBytes(accountpb.PostBatchRequest.encode(request).finish());
  }

  async batchBytes(request: Uint8Array): Promise<accountpb.PostBatchResponse> {
    return accountpb.PostBatchResponse.decode(await this.unary<Buffer>('postBatch', Buffer.from(request)));
  }

  async transfer(order: Partial<accountpb.TransferOrder>): Promise<accountpb.TransferResponse> {
    const request = accountpb.TransferRequest.fromPartial({ transfer: { unit: 'EUR', ...order } });
    return accountpb.TransferResponse.decode(await this.unary<Buffer>('transfer', Buffer.from(accountpb.TransferRequest.encode(request).finish())));
  }

  async transfers(orders: readonly Partial<accountpb.TransferOrder>[]): Promise<accountpb.TransferBatchResponse> {
    const request = accountpb.TransferBatchRequest.fromPartial({ transfers: orders.map((order) => ({ unit: 'EUR', ...order })) });
    const answer = await this.unary<Buffer>('transferBatch', Buffer.from(accountpb.TransferBatchRequest.encode(request).finish()));
    return accountpb.TransferBatchResponse.decode(answer);
  }

  /** Sends the postings on one stream; resolves with the answers in the order in which they came. */
  async stream(postings: readonly Partial<accountpb.Posting>[]): Promise<accountpb.PostStreamResponse[]> {
    const answers: accountpb.PostStreamResponse[] = [];
    async function* requests(): AsyncGenerator<Buffer> {
      for (const posting of postings) yield Buffer.from(accountpb.PostStreamRequest.encode(accountpb.PostStreamRequest.fromPartial({ posting })).finish());
    }
    const send = (bytes: Buffer): undefined => void answers.push(accountpb.PostStreamResponse.decode(bytes));
    await this.method('postStream')(requests() as never, send as never, this.call as never);
    return answers;
  }

  async open(account: Partial<accountpb.AccountOpening>): Promise<accountpb.CommandResult> {
    return resultOf(
      await this.unary(
        'openAccount',
        accountpb.OpenAccountRequest.fromPartial({ account: { requestId: `open ${account.accountId}`, unit: 'EUR', ...account } }),
      ),
    );
  }

  openMany(accounts: readonly Partial<accountpb.AccountOpening>[]): Promise<accountpb.OpenAccountsResponse> {
    return this.unary('openAccounts', accountpb.OpenAccountsRequest.fromPartial({ accounts: [...accounts] }));
  }

  async update(request: Partial<accountpb.UpdateAccountRequest>): Promise<accountpb.CommandResult> {
    return resultOf(await this.unary('updateAccount', accountpb.UpdateAccountRequest.fromPartial(request)));
  }

  async freeze(request: Partial<accountpb.FreezeAccountRequest>): Promise<accountpb.CommandResult> {
    return resultOf(await this.unary('freezeAccount', accountpb.FreezeAccountRequest.fromPartial(request)));
  }

  async unfreeze(request: Partial<accountpb.UnfreezeAccountRequest>): Promise<accountpb.CommandResult> {
    return resultOf(await this.unary('unfreezeAccount', accountpb.UnfreezeAccountRequest.fromPartial(request)));
  }

  async close(request: Partial<accountpb.CloseAccountRequest>): Promise<accountpb.CommandResult> {
    return resultOf(await this.unary('closeAccount', accountpb.CloseAccountRequest.fromPartial(request)));
  }

  private unary<Response>(name: string, request: unknown): Promise<Response> {
    return this.method(name)(request as never, this.call as never, undefined as never) as Promise<Response>;
  }

  private get call(): CallContext {
    return { ...CALL, identity: this.caller } as CallContext;
  }

  private method(name: string): (...values: never[]) => Promise<unknown> {
    const [registration] = this.running.registrations;
    const carried = functionOf(registration?.implementation[name] as object);
    if (carried === undefined) throw new Error(`the service has no ${name}`);
    return carried.run as (...values: never[]) => Promise<unknown>;
  }

  // ---- what the log has ----

  commits(partition?: number): DecodedCommit[] {
    const partitions = partition === undefined ? this.storage.partitions : [this.storage.commitsOf(partition)];
    return partitions.flatMap((commits) => commits.map(({ bytes }) => readCommit(bytes)));
  }

  /** Everything recorded about postings, account by account in the order of the log. */
  recorded(): accountpb.AccountPostings[] {
    return this.commits()
      .flatMap(({ events }) => events)
      .filter(({ type }) => type === 'account.PostingsRecorded')
      .flatMap(({ payload }) => accountpb.PostingsRecorded.decode(payload).accounts);
  }

  /** Posts to the account until the request's id has left memory, so that only the disk knows it. */
  async forget(accountId: string, requestId: string): Promise<void> {
    const account = Buffer.from(accountId);
    const request = Buffer.from(requestId);
    const owned = this.engine.partition(this.engine.partitionOfHash(keyHash(account, 0, account.length)));
    if (owned === undefined) throw new Error('the partition is not owned');
    requestHash(owned.seeds, keyedHash(owned.seeds, account, 0, account.length), request, 0, request.length);
    const { first, second } = lastHash;
    for (let at = 0; owned.index.recent(first, second) !== 0; at += 1) {
      await this.post(posting('CREDIT', `pushes ${requestId} out ${at}`, 1n, { accountId }));
      await this.clock.elapse(200);
    }
  }

  /** Lets the time pass until every partition serves again. */
  async untilServing(): Promise<void> {
    while (this.engine.owned.some((partition) => this.engine.partition(partition)?.state !== 'serving')) await this.clock.elapse(100);
  }

  /** How often the log has the request of the account. */
  timesRecorded(accountId: string, requestId: string): number {
    return this.recorded()
      .filter((postings) => postings.accountId === accountId)
      .flatMap((postings) => postings.requests?.postings ?? [])
      .filter((posting) => posting.requestId === requestId).length;
  }
}

function resultOf(response: { result?: accountpb.CommandResult | undefined }): accountpb.CommandResult {
  if (response.result === undefined) throw new Error('the answer has no result');
  return response.result;
}

export function posting(type: keyof typeof TYPES, requestId: string, amountMinor: bigint, rest: Partial<accountpb.Posting> = {}): Partial<accountpb.Posting> {
  return { type: TYPES[type], requestId, amountMinor, accountId: 'hot', unit: 'EUR', ...rest };
}

const TYPES = {
  CREDIT: accountpb.PostingType.POSTING_TYPE_CREDIT,
  DEBIT: accountpb.PostingType.POSTING_TYPE_DEBIT,
  HOLD: accountpb.PostingType.POSTING_TYPE_HOLD,
  CAPTURE: accountpb.PostingType.POSTING_TYPE_CAPTURE,
  RELEASE: accountpb.PostingType.POSTING_TYPE_RELEASE,
} as const;

/** The reason with which a call is refused; 'accepted' if it is not. */
export async function reasonOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'accepted';
  } catch (error) {
    if (error instanceof SluiceError) return error.reason;
    throw error;
  }
}

/** What a result says in one word. */
export function verdictOf(result: accountpb.PostingResult | accountpb.TransferResult | undefined): string {
  if (result === undefined) return 'nothing';
  const verdict = result.error?.reason ?? 'accepted';
  return result.repeated ? `${verdict} again` : verdict;
}

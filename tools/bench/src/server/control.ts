/**
 * The harness's own calls to the server under test: opening accounts, watching the projection, checking the result. None
 * of them is measured.
 */
import * as grpc from '@grpc/grpc-js';
import { logpb, projectionpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { taskpb } from '@sluice/protocol/task';
import { firedIn, type FiredTimers } from '../measure/fired-timers';

const CALL_TIMEOUT_MS = 60_000;
/** Folding a log of millions of entries takes its time. */
const VERIFY_TIMEOUT_MS = 900_000;
const DRAIN_TIMEOUT_MS = 300_000;
const DRAIN_POLL_MS = 20;
/** What is under way between partitions ends within this. */
const QUIET_MS = 1_000;
const OPENING_BATCH = 5_000;
const ACCOUNTS_PAGE = 1_000;
const TASK_BATCH = 5_000;
const TASK_BATCHES_IN_FLIGHT = 2;

const TASK_PAYLOAD = Buffer.from(JSON.stringify({ at: 0 }), 'utf8');

type UnaryCall<Request, Response> = (request: Request, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<Response>) => unknown;

export interface Opening {
  readonly accountId: string;
  readonly signingKey?: Uint8Array;
  readonly overdraftMinor?: bigint;
  readonly branchId?: string;
  readonly product?: string;
}

export class Control {
  readonly #commands: accountpb.AccountCommandServiceClient;
  readonly #queries: accountpb.AccountQueryServiceClient;
  readonly #tasks: taskpb.TaskCommandServiceClient;
  readonly #taskQueries: taskpb.TaskQueryServiceClient;
  readonly #log: logpb.LogServiceClient;
  readonly #projection: projectionpb.ProjectionServiceClient;

  constructor(command: string, query = command, projector = command) {
    const credentials = grpc.credentials.createInsecure();
    const options = { 'grpc.max_receive_message_length': -1 };
    this.#commands = new accountpb.AccountCommandServiceClient(command, credentials, options);
    this.#queries = new accountpb.AccountQueryServiceClient(query, credentials, options);
    this.#tasks = new taskpb.TaskCommandServiceClient(command, credentials, options);
    this.#taskQueries = new taskpb.TaskQueryServiceClient(query, credentials, options);
    this.#log = new logpb.LogServiceClient(projector, credentials, options);
    this.#projection = new projectionpb.ProjectionServiceClient(projector, credentials, options);
  }

  close(): void {
    for (const client of [this.#commands, this.#queries, this.#tasks, this.#taskQueries, this.#log, this.#projection]) client.close();
  }

  /** @param progress called with how many are open. */
  async openAccounts(openings: Iterable<Opening>, progress: (opened: number) => void = () => {}): Promise<void> {
    let opened = 0;
    const send = async (accounts: accountpb.AccountOpening[]): Promise<void> => {
      const { results } = await call(this.#commands.openAccounts.bind(this.#commands), { accounts });
      const refused = results.find(({ error }) => error !== undefined);
      if (refused?.error !== undefined) throw new Error(`an account was not opened: ${refused.error.reason}: ${refused.error.message}`);
      opened += results.length;
      progress(opened);
    };
    let batch: accountpb.AccountOpening[] = [];
    for (const { accountId, signingKey, overdraftMinor, branchId = '', product = '' } of openings) {
      batch.push({
        requestId: `open-${accountId}`,
        accountId,
        unit: 'EUR',
        branchId,
        product,
        linkedAccountId: '',
        limits: overdraftMinor === undefined ? undefined : accountpb.AccountLimits.fromPartial({ overdraftMinor }),
        signingKey: Buffer.from(signingKey ?? []),
      });
      if (batch.length < OPENING_BATCH) continue;
      await send(batch);
      batch = [];
    }
    if (batch.length > 0) await send(batch);
  }

  /** Posts once and resolves with the reply's position token when it is acknowledged. */
  async post(posting: accountpb.Posting): Promise<string> {
    const { positionToken } = await call(this.#commands.post.bind(this.#commands), { posting });
    return positionToken;
  }

  /** Throws if a posting is refused. */
  async postAll(postings: accountpb.Posting[]): Promise<void> {
    const { results } = await call(this.#commands.postBatch.bind(this.#commands), accountpb.PostBatchRequest.fromPartial({ postings }));
    const refused = results.find(({ error }) => error !== undefined);
    if (refused?.error !== undefined) throw new Error(`a posting was refused: ${refused.error.reason}: ${refused.error.message}`);
  }

  /** @param progress called with how many are created. */
  async createTasks(queue: string, type: string, count: number, progress: (created: number) => void): Promise<void> {
    let next = 0;
    let created = 0;
    const send = async (): Promise<void> => {
      while (next < count) {
        const from = next;
        next = Math.min(next + TASK_BATCH, count);
        const tasks = Array.from({ length: next - from }, (_, at) => ({ requestId: `waiting-${from + at}`, task: { type, payload: TASK_PAYLOAD } }));
        const { results } = await call(this.#tasks.createTasks.bind(this.#tasks), taskpb.CreateTasksRequest.fromPartial({ queue, tasks }));
        const refused = results.find(({ error }) => error !== undefined);
        if (refused?.error !== undefined) throw new Error(`a task was refused: ${refused.error.reason}: ${refused.error.message}`);
        created += results.length;
        progress(created);
      }
    };
    await Promise.all(Array.from({ length: TASK_BATCHES_IN_FLIGHT }, send));
  }

  /** How many tasks queries answer for the queue, and how many of them wait and succeeded. */
  async taskCounts(queue: string): Promise<{ readonly all: number; readonly submitted: number; readonly succeeded: number }> {
    const { stats } = await call(this.#taskQueries.getQueueStats.bind(this.#taskQueries), { queue, positionToken: '', positionTokens: [] });
    const { submitted, running, succeeded, failed, cancelled } = stats?.counts ?? taskpb.TaskCounts.fromPartial({});
    const all = Number(submitted + running + succeeded + failed + cancelled);
    return { all, submitted: Number(submitted), succeeded: Number(succeeded) };
  }

  /** Calls back for every commit that fires timers, from now on. Returns how to end that. */
  watchFired(fired: (timers: FiredTimers) => void): () => void {
    const stream = this.#log.tailCommits({ partition: undefined, fromSequence: 0n, headersOnly: false });
    stream.on('data', ({ commit }: logpb.TailCommitsResponse) => {
      const timers = commit && firedIn(commit);
      if (timers !== undefined) fired(timers);
    });
    stream.on('error', () => undefined);
    return () => stream.cancel();
  }

  status(): Promise<projectionpb.GetStatusResponse> {
    return call(this.#projection.getStatus.bind(this.#projection), {});
  }

  /** Waits until the read store has everything that the log has. */
  async drain(): Promise<void> {
    const started = Date.now();
    for (;;) {
      const { partitions } = await this.status();
      const behind = partitions.filter(({ checkpoint, headSequence }) => checkpoint < headSequence);
      if (behind.length === 0) return;
      if (Date.now() - started > DRAIN_TIMEOUT_MS) throw new Error(`the projection of partition ${behind[0]?.partition} does not reach the log's head`);
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  /** Waits until nothing is written to the log any more; resolves with when that began, by `performance.now`. */
  async quiet(): Promise<number> {
    let last = -1n;
    let since = performance.now();
    for (;;) {
      const { partitions } = await this.status();
      const head = partitions.reduce((sum, { headSequence }) => sum + headSequence, 0n);
      const now = performance.now();
      if (head !== last) since = now;
      else if (now - since > QUIET_MS) return since;
      last = head;
      await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
    }
  }

  /** Number of transfers that queries answer as pending; at most 1,000 are counted. */
  async pendingTransfers(): Promise<number> {
    const request = accountpb.ListTransfersRequest.fromPartial({ state: accountpb.TransferState.TRANSFER_STATE_PENDING, pageSize: 1_000 });
    const { transfers } = await call(this.#queries.listTransfers.bind(this.#queries), request);
    return transfers.length;
  }

  /** Number of entries that a query answers for the account. */
  async entryCount(accountId: string): Promise<number> {
    const { account } = await call(this.#queries.getAccount.bind(this.#queries), { accountId, positionToken: '', positionTokens: [] });
    return Number(account?.entryCount ?? 0n);
  }

  /** The sum of the entries that queries answer for all accounts. */
  async entryCountOfAll(): Promise<number> {
    let entries = 0n;
    let pageToken = '';
    do {
      const page = await call(
        this.#queries.listAccounts.bind(this.#queries),
        accountpb.ListAccountsRequest.fromPartial({ pageSize: ACCOUNTS_PAGE, pageToken }),
      );
      for (const { entryCount } of page.accounts) entries += entryCount;
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return Number(entries);
  }

  verifyAccount(accountId: string): Promise<logpb.VerifyAccountResponse> {
    return call(this.#log.verifyAccount.bind(this.#log), { accountId }, VERIFY_TIMEOUT_MS);
  }

  /** Folds the whole log and compares it with the read store; resolves with the last message. */
  verifyAll(progress: (doneCommits: number, totalCommits: number) => void = () => {}): Promise<projectionpb.VerifyAllResponse> {
    return new Promise((resolve, reject) => {
      const stream = this.#projection.verifyAll({}, new grpc.Metadata(), { deadline: Date.now() + VERIFY_TIMEOUT_MS });
      let last: projectionpb.VerifyAllResponse | undefined;
      stream.on('data', (message: projectionpb.VerifyAllResponse) => {
        last = message;
        progress(Number(message.doneCommits), Number(message.totalCommits));
      });
      stream.once('error', reject);
      stream.once('end', () => (last?.finished === true ? resolve(last) : reject(new Error('the verification ended before it was finished'))));
    });
  }
}

function call<Request, Response>(method: UnaryCall<Request, Response>, request: Request, timeoutMs = CALL_TIMEOUT_MS): Promise<Response> {
  return new Promise((resolve, reject) => {
    method(request, new grpc.Metadata(), { deadline: Date.now() + timeoutMs }, (error, response) => {
      if (error !== null || response === undefined) reject(error ?? new Error('an empty answer'));
      else resolve(response);
    });
  });
}

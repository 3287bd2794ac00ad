/**
 * Callers as they should be: each posts batches to its account, sends what has no verdict again with the same request ids, to
 * another instance, and writes down every acknowledged posting with its answer. That list is what the data is judged by.
 */
import { partitionOfKey } from '@sluice/domain';
import { accountpb } from '@sluice/protocol/account';
import { type Access, metadataOf, PLAIN_ACCESS, QUICK_RECONNECT } from './access';
import { called, type CallOptions } from './called';
import { signedAmountMinor } from './signed-amount';

const UNIT = 'EUR';
const BATCH = 20;
/** Accounts opened by one call. */
const OPENINGS = 5_000;
const PAUSE_MS = 25;
/** Between two batches of a caller: enough load that each partition always has some, and little enough that the tests measure faults and not the machine. */
const BETWEEN_BATCHES_MS = 150;
/** One attempt. A caller whose instance hangs goes elsewhere after this time. */
const ATTEMPT_LIMIT_MS = 2_000;
/** What has no verdict after so long will never have one: a fault of the service. */
const VERDICT_LIMIT_MS = 60_000;
/** Reasons after which the same posting is sent again. */
const TRANSIENT_REASONS = new Set(['PARTITION_UNAVAILABLE', 'SHUTTING_DOWN', 'STARTING', 'QUEUE_FULL', 'TOO_MANY_CALLS']);

export interface Acknowledged {
  readonly amountMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly entryNumber: bigint;
}

/** Is told what callers do, account by account. */
export interface LoadObserver {
  /** A batch is sent for the first time. */
  tried?(account: string, partition: number): void;
  acknowledged?(account: string, partition: number, entryNumber: bigint): void;
  /** Every posting of the batch has its verdict. */
  finished?(account: string, partition: number): void;
}

export interface LoadOptions {
  /** Request ids begin with it. */
  readonly name: string;
  readonly commandAddresses: readonly string[];
  readonly accounts: readonly string[];
  readonly partitions: number;
  readonly access?: Access;
  readonly observers?: readonly LoadObserver[];
  /** How long a caller waits for an answer before it goes to another instance. */
  readonly attemptLimitMs?: CallOptions['limitMs'];
  readonly betweenBatchesMs?: number;
  readonly verdictLimitMs?: number;
}

export class Load {
  /** Acknowledged postings: account → request id → answer. */
  readonly acknowledged: ReadonlyMap<string, Map<string, Acknowledged>>;
  /** Token of a late answer: covers the newest commit of one partition at least. */
  positionToken = '';
  /** Refusals that no caller here deserves. */
  readonly unexpected: string[] = [];
  /** Answers that said that the posting was answered before. */
  repeated = 0;
  private readonly clients: accountpb.AccountCommandServiceClient[];
  private readonly waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  private total = 0;
  private stopping = false;
  private abandoned = false;
  private running: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: LoadOptions) {
    const { access = PLAIN_ACCESS, commandAddresses, accounts } = options;
    this.clients = commandAddresses.map((address) => new accountpb.AccountCommandServiceClient(address, access.credentials, QUICK_RECONNECT));
    this.acknowledged = new Map(accounts.map((account) => [account, new Map()]));
  }

  /** Opens the accounts. */
  open(): Promise<void> {
    return this.openAccounts([...this.acknowledged.keys()]);
  }

  /** Opens accounts that receive no postings: weight for the owners that load their partitions. */
  async openIdle(count: number): Promise<void> {
    for (let at = 0; at < count; at += OPENINGS) {
      await this.openAccounts(Array.from({ length: Math.min(OPENINGS, count - at) }, (_, index) => `idle-account-${at + index}`));
    }
  }

  start(): void {
    this.running = Promise.all([...this.acknowledged.keys()].map((account, caller) => this.call(account, caller)));
    // A waiter of the load is told.
    this.running.catch(() => undefined);
  }

  /** Resolves when so many more postings were acknowledged; rejects when a caller has given up. */
  async more(postings: number): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => this.waiters.push({ count: this.total + postings, resolve }));
    await Promise.race([acknowledged, this.running.then(() => acknowledged)]);
  }

  /** Resolves when every account has so many acknowledged postings more. */
  async moreEverywhere(postings: number): Promise<void> {
    const wanted = new Map([...this.acknowledged].map(([account, answers]) => [account, answers.size + postings]));
    const lacking = (): boolean => [...this.acknowledged].some(([account, answers]) => answers.size < (wanted.get(account) ?? 0));
    while (lacking()) await this.more(1);
  }

  get acknowledgedPostings(): number {
    return this.total;
  }

  partitionOf(account: string): number {
    return partitionOfKey(Buffer.from(account), this.options.partitions);
  }

  /** No new postings; resolves when every one that was sent has its verdict. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    for (const client of this.clients) client.close();
  }

  /** Stops at once, verdicts or not. */
  abandon(): void {
    this.stopping = true;
    this.abandoned = true;
    for (const client of this.clients) client.close();
  }

  private async openAccounts(accountIds: readonly string[]): Promise<void> {
    const accounts = accountIds.map((accountId) => accountpb.AccountOpening.fromPartial({ requestId: `open-${accountId}`, accountId, unit: UNIT }));
    const untilMs = Date.now() + this.verdictLimitMs;
    for (let attempt = 0; ; attempt += 1) {
      const client = this.clientOf(attempt);
      const { results, failure } = await called(client.openAccounts.bind(client), { accounts }, { metadata: this.metadata, limitMs: this.verdictLimitMs }).then(
        (response) => ({ results: response.results, failure: undefined }),
        // Not opened, or unknown: the same request ids at the next instance.
        (error: Error) => ({ results: [], failure: error.message }),
      );
      const refused = results.find(({ error }) => error !== undefined)?.error;
      if (refused === undefined && failure === undefined) return;
      const isTransient = refused === undefined || TRANSIENT_REASONS.has(refused.reason);
      if (!isTransient || Date.now() > untilMs) throw new Error(`the accounts were not opened: ${failure ?? `${refused?.reason}: ${refused?.message}`}`);
      await pause();
    }
  }

  private async call(account: string, caller: number): Promise<void> {
    const { name, betweenBatchesMs = BETWEEN_BATCHES_MS } = this.options;
    let sent = 0;
    while (!this.stopping) {
      const postings = Array.from({ length: BATCH }, (_, item) => postingOf(`${name}-${account}`, account, sent + item));
      sent += BATCH;
      this.tell('tried', account);
      await this.untilVerdict(account, postings, caller);
      this.tell('finished', account);
      await pause(betweenBatchesMs);
    }
  }

  private async untilVerdict(account: string, postings: accountpb.Posting[], caller: number): Promise<void> {
    const untilMs = Date.now() + this.verdictLimitMs;
    const options = { metadata: this.metadata, limitMs: this.options.attemptLimitMs ?? ATTEMPT_LIMIT_MS };
    let open = postings;
    for (let attempt = 0; open.length > 0 && !this.abandoned; attempt += 1) {
      if (Date.now() > untilMs) throw new Error(`${account}: ${open.length} postings have no verdict after ${this.verdictLimitMs / 1000} s`);
      const client = this.clientOf(caller + attempt);
      const asked = open;
      const results = await called(client.postBatch.bind(client), accountpb.PostBatchRequest.fromPartial({ postings: asked }), options).then(
        (response) => {
          this.positionToken = response.positionToken;
          return response.results;
        },
        () => undefined,
      );
      if (results !== undefined) open = asked.filter((posting, item) => !this.take(account, posting, results[item]));
      if (open.length > 0) await pause();
    }
  }

  /** True: the posting has its verdict. */
  private take(account: string, posting: accountpb.Posting, result: accountpb.PostingResult | undefined): boolean {
    if (result === undefined) return false;
    const { error, balanceAfterMinor, entryNumber, repeated } = result;
    if (error !== undefined) {
      if (TRANSIENT_REASONS.has(error.reason)) return false;
      this.unexpected.push(`${posting.requestId}: ${error.reason}: ${error.message}`);
      return true;
    }
    if (repeated) this.repeated += 1;
    this.acknowledged.get(account)?.set(posting.requestId, { amountMinor: signedAmountMinor(posting), balanceAfterMinor, entryNumber });
    this.count(account, entryNumber);
    return true;
  }

  private count(account: string, entryNumber: bigint): void {
    this.total += 1;
    const partition = this.partitionOf(account);
    for (const observer of this.options.observers ?? []) observer.acknowledged?.(account, partition, entryNumber);
    for (const waiter of this.waiters.splice(0)) {
      if (waiter.count <= this.total) waiter.resolve();
      else this.waiters.push(waiter);
    }
  }

  private tell(event: 'tried' | 'finished', account: string): void {
    for (const observer of this.options.observers ?? []) observer[event]?.(account, this.partitionOf(account));
  }

  private clientOf(attempt: number): accountpb.AccountCommandServiceClient {
    const client = this.clients[attempt % this.clients.length];
    if (client === undefined) throw new Error('there is no command instance to call');
    return client;
  }

  private get metadata() {
    return metadataOf(this.options.access ?? PLAIN_ACCESS);
  }

  private get verdictLimitMs(): number {
    return this.options.verdictLimitMs ?? VERDICT_LIMIT_MS;
  }
}

/** Two credits of 3 for each debit of 5: the balance rises, so that no debit is refused. */
function postingOf(requestPrefix: string, account: string, number: number): accountpb.Posting {
  const debit = number % 3 === 2;
  return accountpb.Posting.fromPartial({
    requestId: `${requestPrefix}-${number}`,
    accountId: account,
    type: debit ? accountpb.PostingType.POSTING_TYPE_DEBIT : accountpb.PostingType.POSTING_TYPE_CREDIT,
    amountMinor: debit ? 5n : 3n,
    unit: UNIT,
  });
}

function pause(milliseconds = PAUSE_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

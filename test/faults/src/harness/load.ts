/**
 * Callers as they should be: each posts batches to its account, sends what has no verdict again with the same request ids, to
 * another instance, and writes down every acknowledged posting with its answer. That list is what the data is judged by.
 */
import { credentials } from '@grpc/grpc-js';
import { partitionOfKey } from '@sluice/domain';
import { accountpb } from '@sluice/protocol';
import { called, QUICK_RECONNECT } from './service-calls';

const UNIT = 'EUR';
const BATCH = 20;
/** Accounts opened by one call. */
const OPENINGS = 5_000;
const PAUSE_MS = 25;
/** Between two batches of a caller: as much load as the stand-in for MongoDB projects in time. */
const BETWEEN_BATCHES_MS = 50;
/** One attempt. A caller whose instance hangs goes elsewhere after this time. */
const ATTEMPT_LIMIT_MS = 2_000;
/** What has no verdict after so long will never have one: a fault of the service. */
const VERDICT_LIMIT_MS = 60_000;
/** Reasons after which the same posting is sent again. */
const PASSING_REASONS = new Set(['PARTITION_UNAVAILABLE', 'SHUTTING_DOWN', 'STARTING', 'QUEUE_FULL', 'TOO_MANY_CALLS']);

export interface Acknowledged {
  readonly amountMinor: bigint;
  readonly balanceAfterMinor: bigint;
  readonly entryNumber: bigint;
}

export class Load {
  /** Acknowledged postings: account → request id → answer. */
  readonly acknowledged: ReadonlyMap<string, Map<string, Acknowledged>>;
  /** Token of a late answer: covers the newest commit of one partition at least. */
  positionToken = '';
  /** Refusals that no caller here deserves. */
  readonly unexpected: string[] = [];
  private readonly clients: accountpb.AccountCommandServiceClient[];
  private readonly partitions: number;
  /** When each partition last acknowledged something, and the longest it was silent since `measureGaps`. */
  private readonly gaps = new Map<number, { lastMs: number; longestMs: number }>();
  private readonly waiters: { readonly count: number; readonly resolve: () => void }[] = [];
  private total = 0;
  private stopping = false;
  private abandoned = false;
  private running: Promise<unknown> = Promise.resolve();

  private readonly name: string;

  constructor(options: {
    readonly name: string;
    readonly commandAddresses: readonly string[];
    readonly accounts: readonly string[];
    readonly partitions: number;
  }) {
    this.name = options.name;
    this.partitions = options.partitions;
    this.clients = options.commandAddresses.map((address) => new accountpb.AccountCommandServiceClient(address, credentials.createInsecure(), QUICK_RECONNECT));
    this.acknowledged = new Map(options.accounts.map((account) => [account, new Map()]));
  }

  /** Opens the accounts. */
  open(): Promise<void> {
    return this.openAccounts([...this.acknowledged.keys()]);
  }

  /** Opens accounts that nobody posts to: weight for whoever has to load their partitions. */
  async openIdle(count: number): Promise<void> {
    for (let at = 0; at < count; at += OPENINGS) {
      await this.openAccounts(Array.from({ length: Math.min(OPENINGS, count - at) }, (_, index) => `idle-account-${at + index}`));
    }
  }

  private async openAccounts(accountIds: readonly string[]): Promise<void> {
    const [client] = this.clients;
    if (client === undefined) throw new Error('there is nobody to call');
    const accounts = accountIds.map((accountId) => accountpb.AccountOpening.fromPartial({ requestId: `open-${accountId}`, accountId, unit: UNIT }));
    const untilMs = Date.now() + VERDICT_LIMIT_MS;
    for (;;) {
      const { results } = await called(client.openAccounts.bind(client), { accounts });
      const refused = results.find(({ error }) => error !== undefined)?.error;
      if (refused === undefined) return;
      if (!PASSING_REASONS.has(refused.reason) || Date.now() > untilMs) throw new Error(`the accounts were not opened: ${refused.reason}: ${refused.message}`);
      await pause();
    }
  }

  start(): void {
    this.running = Promise.all([...this.acknowledged.keys()].map((account, caller) => this.call(account, caller)));
    // Whoever waits for the load is told.
    this.running.catch(() => undefined);
  }

  /** Resolves when so many more postings were acknowledged; rejects when a caller has given up. */
  async more(postings: number): Promise<void> {
    const acknowledged = new Promise<void>((resolve) => this.waiters.push({ count: this.total + postings, resolve }));
    await Promise.race([acknowledged, this.running.then(() => acknowledged)]);
  }

  get acknowledgedPostings(): number {
    return this.total;
  }

  /** From now on it is measured how long a partition acknowledges nothing. */
  measureGaps(): void {
    const nowMs = Date.now();
    for (const account of this.acknowledged.keys()) this.gaps.set(this.partitionOf(account), { lastMs: nowMs, longestMs: 0 });
  }

  /** Resolves when every partition has acknowledged so many postings more. */
  async moreEverywhere(postings: number): Promise<void> {
    const wanted = new Map([...this.acknowledged].map(([account, answers]) => [account, answers.size + postings]));
    const lacking = (): boolean => [...this.acknowledged].some(([account, answers]) => answers.size < (wanted.get(account) ?? 0));
    while (lacking()) await this.more(1);
  }

  /** The longest any partition was silent, in milliseconds, silence that still lasts included. */
  get longestGapMs(): number {
    const nowMs = Date.now();
    return Math.max(...[...this.gaps.values()].map(({ lastMs, longestMs }) => Math.max(longestMs, nowMs - lastMs)));
  }

  /** No new postings; resolves when every one that was sent has its verdict. */
  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
    for (const client of this.clients) client.close();
  }

  private partitionOf(account: string): number {
    return partitionOfKey(Buffer.from(account), this.partitions);
  }

  /** Stops at once, whatever has no verdict. */
  abandon(): void {
    this.stopping = true;
    this.abandoned = true;
    for (const client of this.clients) client.close();
  }

  private async call(account: string, caller: number): Promise<void> {
    let sent = 0;
    while (!this.stopping) {
      const postings = Array.from({ length: BATCH }, (_, item) => postingOf(`${this.name}-${account}`, account, sent + item));
      sent += BATCH;
      await this.untilVerdict(account, postings, caller);
      await pause(BETWEEN_BATCHES_MS);
    }
  }

  private async untilVerdict(account: string, postings: accountpb.Posting[], caller: number): Promise<void> {
    const untilMs = Date.now() + VERDICT_LIMIT_MS;
    let open = postings;
    for (let attempt = 0; open.length > 0 && !this.abandoned; attempt += 1) {
      if (Date.now() > untilMs) throw new Error(`${account}: ${open.length} postings have no verdict after ${VERDICT_LIMIT_MS / 1000} s`);
      const client = this.clients[(caller + attempt) % this.clients.length] as accountpb.AccountCommandServiceClient;
      const asked = open;
      const results = await called(client.postBatch.bind(client), accountpb.PostBatchRequest.fromPartial({ postings: asked }), ATTEMPT_LIMIT_MS).then(
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
    const { error, balanceAfterMinor, entryNumber } = result;
    if (error !== undefined) {
      if (PASSING_REASONS.has(error.reason)) return false;
      this.unexpected.push(`${posting.requestId}: ${error.reason}: ${error.message}`);
      return true;
    }
    this.acknowledged.get(account)?.set(posting.requestId, { amountMinor: signedAmount(posting), balanceAfterMinor, entryNumber });
    this.count(account);
    return true;
  }

  private count(account: string): void {
    this.total += 1;
    const gap = this.gaps.get(this.partitionOf(account));
    if (gap !== undefined) {
      const nowMs = Date.now();
      gap.longestMs = Math.max(gap.longestMs, nowMs - gap.lastMs);
      gap.lastMs = nowMs;
    }
    for (const waiter of this.waiters.splice(0)) {
      if (waiter.count <= this.total) waiter.resolve();
      else this.waiters.push(waiter);
    }
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

function signedAmount({ type, amountMinor }: accountpb.Posting): bigint {
  return type === accountpb.PostingType.POSTING_TYPE_DEBIT ? -amountMinor : amountMinor;
}

function pause(milliseconds = PAUSE_MS): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

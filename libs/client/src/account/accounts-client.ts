/**
 * Everything that can be done with accounts, as promises and async iterables.
 *
 * Commands go to the command service, reads to the query service. Reads carry the position of what this client wrote
 * before, so that it reads its own writes; a read option says otherwise for one call, `readYourWrites: false` for all.
 */
import { randomUUID } from 'node:crypto';
import { timestampFromUs } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import type { Account, AccountChange, AccountOpening, AccountStatus, BalanceAt, CommandResult, Entry, StatusChange } from './account';
import { accountFromWire, balanceAtFromWire, changeToWire, commandResultFromWire, entryFromWire, openingToWire, statusToWire } from './account-wire';
import type { Caller, CallOptions, UnaryMethod } from '../caller';
import { iteratePages, type Page, type PageOptions, type ReadOptions, type Reads, type WatchOptions } from '../reads';
import { checkBatch, sendItems } from '../item-batch';
import type { PositionTracker } from '../position-tracker';
import type { PostingInput, PostingOutcome, PostingResult } from './posting';
import type { BatchingOptions } from '../batching-options';
import { ItemBatcher } from '../item-batcher';
import { requestKey, streamItems } from '../item-stream';
import type { ItemStreamOptions } from '../item-stream-options';
import { outcomeOf } from './posting-outcome';
import { postingSizeBytes, postingToWire } from './posting-wire';
import type { Transfer, TransferFilter, TransferInput, TransferOutcome, TransferResult } from './transfer';
import { transferFromWire, transferOutcomeOf, transferStateToWire, transferToWire } from './transfer-wire';
import { SluiceError, statusName, toSluiceError } from '../sluice-error';
import { microseconds } from '../time-wire';

/** The result for one account of `openMany`. */
export type OpeningOutcome =
  | { readonly accountId: string; readonly result: CommandResult; readonly error?: undefined }
  | { readonly accountId: string; readonly result?: undefined; readonly error: SluiceError };

export interface PostBatchOptions extends CallOptions {
  /** All or none: the accounts must be of one partition. */
  readonly atomic?: boolean;
}

export interface AccountFilter {
  readonly branchId?: string;
  readonly product?: string;
  readonly status?: AccountStatus;
  readonly unit?: string;
}

export interface EntriesFilter {
  /** Default: newest first. */
  readonly order?: 'NEWEST_FIRST' | 'OLDEST_FIRST';
  /** Committed at or after this time: a Date, or microseconds since the epoch. */
  readonly from?: Date | number;
  /** Committed before this time. */
  readonly to?: Date | number;
  readonly includeRejections?: boolean;
}

/** A business date is YYYY-MM-DD. */
export type Moment = { readonly time: Date | number } | { readonly sequence: bigint } | { readonly businessDate: string };

/** A CREDIT, a DEBIT or a HOLD. */
export type PlainInput = Omit<PostingInput, 'type' | 'holdId' | 'final'>;
/** A CAPTURE or a RELEASE. */
export type OnHoldInput = Omit<PostingInput, 'type' | 'holdId'> & { readonly holdId: string };

/** Most that one call of the services takes. */
const MAXIMUM_GET_ACCOUNTS = 1_000;
/** Accounts of one OpenAccounts call: well under the message limit with everything in them. */
const OPENINGS_PER_CALL = 1_000;

/** @internal */
export interface AccountsClientOptions {
  readonly caller: Caller;
  readonly commands: accountpb.AccountCommandServiceClient;
  readonly queries: accountpb.AccountQueryServiceClient;
  readonly positions: PositionTracker;
  readonly reads: Reads;
  readonly batching: BatchingOptions | undefined;
}

export class AccountsClient {
  readonly #caller: Caller;
  readonly #commands: accountpb.AccountCommandServiceClient;
  readonly #queries: accountpb.AccountQueryServiceClient;
  readonly #positions: PositionTracker;
  readonly #reads: Reads;
  readonly #batcher: ItemBatcher<accountpb.Posting, PostingResult>;

  /** @internal Made by SluiceClient. */
  constructor(options: AccountsClientOptions) {
    this.#caller = options.caller;
    this.#commands = options.commands;
    this.#queries = options.queries;
    this.#positions = options.positions;
    this.#reads = options.reads;
    const batches = {
      plural: 'postings',
      requestIdOf: (posting: accountpb.Posting) => posting.requestId,
      sizeBytes: postingSizeBytes,
      encode: (posting: accountpb.Posting) => accountpb.Posting.encode(posting).finish(),
      send: (postings: readonly accountpb.Posting[], deadlineAt: number) => this.#postOnce([...postings], deadlineAt),
    };
    this.#batcher = new ItemBatcher<accountpb.Posting, PostingResult>(this.#caller, batches, options.batching);
  }

  // Commands on accounts.

  async open(opening: AccountOpening, options?: CallOptions): Promise<CommandResult> {
    const account = openingToWire(opening);
    return this.#command(account.requestId, this.#commands.openAccount.bind(this.#commands), { account }, options);
  }

  /** Opens any number of accounts; each has its own outcome, in the order asked for. */
  async openMany(openings: readonly AccountOpening[], options?: CallOptions): Promise<OpeningOutcome[]> {
    const outcomes: OpeningOutcome[] = [];
    for (let start = 0; start < openings.length; start += OPENINGS_PER_CALL) {
      const items = openings.slice(start, start + OPENINGS_PER_CALL).map(openingToWire);
      const deadlineAt = this.#caller.deadlineAt(options);
      const send = (accounts: readonly accountpb.AccountOpening[]): Promise<OpeningOutcome[]> => this.#openOnce([...accounts], deadlineAt);
      const failed = (item: accountpb.AccountOpening, error: SluiceError): OpeningOutcome => ({
        accountId: item.accountId,
        error: error.about(item.requestId),
      });
      outcomes.push(...(await sendItems(this.#caller, { items, send, failed }, deadlineAt)));
    }
    return outcomes;
  }

  async #openOnce(accounts: accountpb.AccountOpening[], deadlineAt: number): Promise<OpeningOutcome[]> {
    const response = await this.#caller.attempt(this.#commands.openAccounts.bind(this.#commands), { accounts }, deadlineAt);
    this.#positions.add(response.positionToken);
    return accounts.map(({ accountId, requestId }, index): OpeningOutcome => {
      const { result, error } = response.results[index] ?? {};
      if (result !== undefined) return { accountId, result: commandResultFromWire(requestId, result) };
      const { code = 13, reason = '', message = 'the answer has no result for this account' } = error ?? {};
      return { accountId, error: new SluiceError({ code: statusName(code), reason, message, metadata: { account_id: accountId }, requestId }) };
    });
  }

  async update(change: AccountChange, options?: CallOptions): Promise<CommandResult> {
    const request = changeToWire(change);
    return this.#command(request.requestId, this.#commands.updateAccount.bind(this.#commands), request, options);
  }

  async freeze(change: StatusChange, options?: CallOptions): Promise<CommandResult> {
    const request = statusChangeToWire(change);
    return this.#command(request.requestId, this.#commands.freezeAccount.bind(this.#commands), request, options);
  }

  async unfreeze(change: StatusChange, options?: CallOptions): Promise<CommandResult> {
    const request = statusChangeToWire(change);
    return this.#command(request.requestId, this.#commands.unfreezeAccount.bind(this.#commands), request, options);
  }

  /** For ever; the balance must be 0 and no holds open. */
  async close(change: StatusChange, options?: CallOptions): Promise<CommandResult> {
    const request = statusChangeToWire(change);
    return this.#command(request.requestId, this.#commands.closeAccount.bind(this.#commands), request, options);
  }

  async #command<Request>(
    requestId: string,
    method: UnaryMethod<Request, { result: accountpb.CommandResult | undefined }>,
    request: Request,
    options?: CallOptions,
  ): Promise<CommandResult> {
    try {
      const { result } = await this.#caller.unary(method, request, options);
      if (result === undefined) throw new SluiceError({ code: 'INTERNAL', reason: '', message: 'the answer has no result' });
      this.#positions.add(result.positionToken);
      return commandResultFromWire(requestId, result);
    } catch (error) {
      throw toSluiceError(error).about(requestId);
    }
  }

  // Postings.

  /**
   * One posting; travels together with what else is posted at the same time. Throws a SluiceError when it is refused
   * (`error.verdict` says at which balance). Postings that must be in order: await the first.
   */
  post(input: PostingInput, options?: CallOptions): Promise<PostingResult> {
    return this.#batcher.add(postingToWire(input), this.#caller.deadlineAt(options));
  }

  credit(input: PlainInput, options?: CallOptions): Promise<PostingResult> {
    return this.post({ ...input, type: 'CREDIT' }, options);
  }

  debit(input: PlainInput, options?: CallOptions): Promise<PostingResult> {
    return this.post({ ...input, type: 'DEBIT' }, options);
  }

  /** Sets an amount aside. The hold's id is the result's request id. */
  hold(input: PlainInput, options?: CallOptions): Promise<PostingResult> {
    return this.post({ ...input, type: 'HOLD' }, options);
  }

  /** Takes a held amount, or a part of it; `final` gives the rest back. */
  capture(input: OnHoldInput, options?: CallOptions): Promise<PostingResult> {
    return this.post({ ...input, type: 'CAPTURE' }, options);
  }

  /** Gives a held amount, or a part of it, back. */
  release(input: OnHoldInput, options?: CallOptions): Promise<PostingResult> {
    return this.post({ ...input, type: 'RELEASE' }, options);
  }

  /** Up to 10,000 postings in one call; each has its own outcome, in order. Refusals do not throw. */
  async postBatch(inputs: readonly PostingInput[], options: PostBatchOptions = {}): Promise<PostingOutcome[]> {
    checkBatch(inputs.length, 'postings');
    const postings = inputs.map(postingToWire);
    const deadlineAt = this.#caller.deadlineAt(options);
    if (options.atomic === true) return this.#postAtomic(postings, options);
    const send = (items: readonly accountpb.Posting[]): Promise<PostingOutcome[]> => this.#postOnce([...items], deadlineAt);
    return sendItems(this.#caller, { items: postings, send, failed: failedPosting }, deadlineAt);
  }

  async #postOnce(postings: accountpb.Posting[], deadlineAt: number): Promise<PostingOutcome[]> {
    const response = await this.#caller.attempt(this.#commands.postBatch.bind(this.#commands), { postings, atomic: false }, deadlineAt);
    this.#positions.add(response.positionToken);
    return postings.map((posting, index) => outcomeOf(posting, response.results[index], response.positionToken));
  }

  /** All or none, so repeated as a whole or not at all. */
  async #postAtomic(postings: accountpb.Posting[], options: CallOptions): Promise<PostingOutcome[]> {
    const response = await this.#caller.unary(this.#commands.postBatch.bind(this.#commands), { postings, atomic: true }, options);
    this.#positions.add(response.positionToken);
    return postings.map((posting, index) => outcomeOf(posting, response.results[index], response.positionToken));
  }

  /**
   * Postings of any number, one by one, over one stream; an outcome comes as soon as it is durable. Outcomes of different
   * accounts may overtake each other. Connections that break are opened again and what has no answer is sent again.
   */
  postStream(inputs: AsyncIterable<PostingInput> | Iterable<PostingInput>, options?: ItemStreamOptions): AsyncGenerator<PostingOutcome, void, undefined> {
    const streamed = {
      open: () => this.#commands.postStream(this.#caller.metadata()),
      item: postingToWire,
      message: (posting: accountpb.Posting) => ({ posting }),
      keyOfItem: ({ accountId, requestId }: accountpb.Posting) => requestKey(accountId, requestId),
      keyOfAnswer: ({ accountId, requestId }: accountpb.PostStreamResponse) => requestKey(accountId, requestId),
      outcome: (posting: accountpb.Posting, { result, positionToken }: accountpb.PostStreamResponse) => outcomeOf(posting, result, positionToken),
      onPosition: (token: string) => this.#positions.add(token),
    };
    return streamItems(this.#caller, streamed, inputs, options);
  }

  // Transfers.

  /**
   * Moves an amount to another account. Throws a SluiceError when it is refused. Accounts of one partition: SETTLED. Otherwise it is PENDING, debited
   * and on its way: `getTransfer` says when it is SETTLED, or REFUNDED because the target refused it.
   */
  async transfer(input: TransferInput, options?: CallOptions): Promise<TransferResult> {
    const transfer = transferToWire(input);
    try {
      const { result, positionToken } = await this.#caller.unary(this.#commands.transfer.bind(this.#commands), { transfer }, options);
      this.#positions.add(positionToken);
      const outcome = transferOutcomeOf(transfer, result, positionToken);
      if (outcome.error !== undefined) throw outcome.error;
      return outcome.result;
    } catch (error) {
      throw toSluiceError(error).about(transfer.requestId);
    }
  }

  /** Up to 10,000 transfers in one call; each has its own outcome, in order. Refusals do not throw. */
  async transferBatch(inputs: readonly TransferInput[], options: CallOptions = {}): Promise<TransferOutcome[]> {
    checkBatch(inputs.length, 'transfers');
    const items = inputs.map(transferToWire);
    const deadlineAt = this.#caller.deadlineAt(options);
    const send = (orders: readonly accountpb.TransferOrder[]): Promise<TransferOutcome[]> => this.#transferOnce([...orders], deadlineAt);
    return sendItems(this.#caller, { items, send, failed: failedTransfer }, deadlineAt);
  }

  async #transferOnce(transfers: accountpb.TransferOrder[], deadlineAt: number): Promise<TransferOutcome[]> {
    const response = await this.#caller.attempt(this.#commands.transferBatch.bind(this.#commands), { transfers }, deadlineAt);
    this.#positions.add(response.positionToken);
    return transfers.map((order, index) => transferOutcomeOf(order, response.results[index], response.positionToken));
  }

  /** How a transfer stands. Throws NOT_FOUND for an unknown one. */
  async getTransfer(fromAccountId: string, requestId: string, options?: ReadOptions): Promise<Transfer> {
    const request = { fromAccountId, requestId, ...this.#reads.covering(options) };
    const { transfer } = await this.#reads.read(this.#queries.getTransfer.bind(this.#queries), request, options);
    if (transfer === undefined) throw new SluiceError({ code: 'INTERNAL', reason: '', message: 'the answer has no transfer' });
    return transferFromWire(transfer);
  }

  async transfersPage(filter: TransferFilter, options: PageOptions = {}): Promise<Page<Transfer>> {
    const request: accountpb.ListTransfersRequest = {
      fromAccountId: filter.fromAccountId ?? '',
      toAccountId: filter.toAccountId ?? '',
      state: transferStateToWire(filter.state),
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...this.#reads.covering(options),
    };
    const response = await this.#reads.read(this.#queries.listTransfers.bind(this.#queries), request, options);
    return { items: response.transfers.map(transferFromWire), nextPageToken: response.nextPageToken };
  }

  /** Transfers from an account, to an account or in a state, newest first, page after page as they are asked for. */
  transfers(filter: TransferFilter, options: PageOptions = {}): AsyncGenerator<Transfer, void, undefined> {
    return iteratePages((page) => this.transfersPage(filter, page), options);
  }

  // Reads.

  /** Throws NOT_FOUND for an unknown account. */
  async get(accountId: string, options?: ReadOptions): Promise<Account> {
    const { account } = await this.#reads.read(this.#queries.getAccount.bind(this.#queries), { accountId, ...this.#reads.covering(options) }, options);
    if (account === undefined) throw new SluiceError({ code: 'INTERNAL', reason: '', message: 'the answer has no account' });
    return accountFromWire(account);
  }

  /** Accounts by id; those that do not exist are absent from the map. */
  async batchGet(accountIds: readonly string[], options?: ReadOptions): Promise<Map<string, Account>> {
    const found = new Map<string, Account>();
    for (let start = 0; start < accountIds.length; start += MAXIMUM_GET_ACCOUNTS) {
      const request = { accountIds: accountIds.slice(start, start + MAXIMUM_GET_ACCOUNTS), ...this.#reads.covering(options) };
      const { accounts } = await this.#reads.read(this.#queries.batchGetAccounts.bind(this.#queries), request, options);
      for (const account of accounts) found.set(account.accountId, accountFromWire(account));
    }
    return found;
  }

  async listPage(filter: AccountFilter = {}, options: PageOptions = {}): Promise<Page<Account>> {
    const request: accountpb.ListAccountsRequest = {
      branchId: filter.branchId ?? '',
      product: filter.product ?? '',
      status: statusToWire(filter.status),
      unit: filter.unit ?? '',
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      ...this.#reads.covering(options),
    };
    const response = await this.#reads.read(this.#queries.listAccounts.bind(this.#queries), request, options);
    return { items: response.accounts.map(accountFromWire), nextPageToken: response.nextPageToken };
  }

  /** Accounts by id, page after page as they are asked for. */
  list(filter: AccountFilter = {}, options: PageOptions = {}): AsyncGenerator<Account, void, undefined> {
    return iteratePages((page) => this.listPage(filter, page), options);
  }

  async entriesPage(accountId: string, filter: EntriesFilter = {}, options: PageOptions = {}): Promise<Page<Entry>> {
    const request: accountpb.ListEntriesRequest = {
      accountId,
      pageSize: options.pageSize ?? 0,
      pageToken: options.pageToken ?? '',
      order: filter.order === 'OLDEST_FIRST' ? accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST : accountpb.EntryOrder.ENTRY_ORDER_NEWEST_FIRST,
      fromTime: filter.from === undefined ? undefined : timestampFromUs(microseconds(filter.from)),
      toTime: filter.to === undefined ? undefined : timestampFromUs(microseconds(filter.to)),
      includeRejections: filter.includeRejections ?? false,
      ...this.#reads.covering(options),
    };
    const response = await this.#reads.read(this.#queries.listEntries.bind(this.#queries), request, options);
    return { items: response.entries.map(entryFromWire), nextPageToken: response.nextPageToken };
  }

  /** The statement of an account, page after page as it is asked for. */
  entries(accountId: string, filter: EntriesFilter = {}, options: PageOptions = {}): AsyncGenerator<Entry, void, undefined> {
    return iteratePages((page) => this.entriesPage(accountId, filter, page), options);
  }

  /** The balance right after a past commit time or sequence, or at the end of a business date. */
  async balanceAt(accountId: string, moment: Moment, options?: ReadOptions): Promise<BalanceAt> {
    const request: accountpb.GetBalanceAtRequest = {
      accountId,
      moment: momentToWire(moment),
      ...this.#reads.covering(options),
    };
    return balanceAtFromWire(await this.#reads.read(this.#queries.getBalanceAt.bind(this.#queries), request, options));
  }

  /** The account now, then again after changes, until the loop is left or the signal aborts. */
  async *watch(accountId: string, options?: WatchOptions): AsyncGenerator<Account, void, undefined> {
    const request = { accountId, ...this.#reads.covering(options) };
    for await (const { account } of this.#caller.stream((metadata) => this.#queries.watchAccount(request, metadata), options)) {
      if (account !== undefined) yield accountFromWire(account);
    }
  }
}

function momentToWire(moment: Moment): NonNullable<accountpb.GetBalanceAtRequest['moment']> {
  if ('time' in moment) return { $case: 'time', value: timestampFromUs(microseconds(moment.time)) };
  return 'sequence' in moment ? { $case: 'sequence', value: moment.sequence } : { $case: 'businessDate', value: moment.businessDate };
}

function statusChangeToWire(change: StatusChange): accountpb.FreezeAccountRequest {
  return { requestId: change.requestId ?? randomUUID(), accountId: change.accountId, note: change.note ?? '' };
}

function failedPosting(posting: accountpb.Posting, error: SluiceError): PostingOutcome {
  return { requestId: posting.requestId, accountId: posting.accountId, error: error.about(posting.requestId) };
}

function failedTransfer(order: accountpb.TransferOrder, error: SluiceError): TransferOutcome {
  return { requestId: order.requestId, fromAccountId: order.fromAccountId, error: error.about(order.requestId) };
}

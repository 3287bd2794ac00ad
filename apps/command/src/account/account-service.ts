/**
 * AccountCommandService: from gRPC to the partitions and back. Post, PostBatch and PostStream take and give bytes; the rest goes through the
 * generated codec.
 */
import { keyHash, partitionOfHash } from '@sluice/domain';
import type { Engine, EngineObserver, HashSeeds } from '@sluice/engine';
import type { MethodDefinition } from '@grpc/grpc-js';
import { encodePositionToken, MalformedMessageError } from '@sluice/protocol';
import {
  accountpb,
  isToCapability,
  MAXIMUM_BATCH_POSTINGS,
  OUTCOME_ACCEPTED,
  OUTCOME_NONE,
  scanPostings,
  scanTransfers,
  type PostingBatch,
  type ScanIssues,
} from '@sluice/protocol/account';
import {
  bidi,
  DEFAULT_MAXIMUM_MESSAGE_BYTES,
  invalidRequest,
  nextRound,
  refusal,
  SluiceError,
  unary,
  type CallContext,
  type Send,
  type ServiceRegistration,
} from '@sluice/service';
import { activeTraceparent } from '@sluice/telemetry';
import type { TransferElsewhere, TransfersElsewhere } from '../command-capability';
import { notOwner } from '../peers/not-owner';
import { commandAtOwner } from '../peers/owner-call';
import { itemOf, type KeyedCommand, openingOf, statusChangeOf, updateOf } from './account-commands';
import type { AccountForwarding } from './account-forwarding';
import type { AccountState } from './account-state';
import { CommandSubmission, type AccountCommandItem } from './command-submission';
import { GatheredForwarding } from './gathered-forwarding';
import { INVALID_REQUEST, NOT_OWNER } from './outcomes';
import { acceptedCount, encodeBatchResponse, encodePostResponse, errorOf, itemErrorOf, postingErrorOf, reasonOf } from './posting-response';
import { PostingRouter, SHAPE_ISSUES, type Positions, type RoutedBatch } from './posting-router';
import { servePostingStream } from './posting-stream';

export const ACCOUNT_COMMAND_SERVICE = 'sluice.account.v1.AccountCommandService';

/** Openings of one call whose ids and digests are made in one round of the event loop. */
const OPENINGS_PER_ROUND = 256;

export interface AccountServiceDependencies {
  readonly engine: Engine;
  readonly seeds: HashSeeds;
  readonly observer: EngineObserver;
  /** Of the log, hex. */
  readonly incarnation: string;
  /** Undefined: every partition is ours. */
  readonly forwarding?: AccountForwarding;
  /** The largest message that the other instances take. */
  readonly maximumMessageBytes?: number;
}

export class AccountService {
  private readonly router: PostingRouter;

  constructor(private readonly dependencies: AccountServiceDependencies) {
    const { engine, seeds, forwarding, maximumMessageBytes = DEFAULT_MAXIMUM_MESSAGE_BYTES } = dependencies;
    this.router = new PostingRouter(engine, seeds, forwarding && new GatheredForwarding(forwarding, maximumMessageBytes));
  }

  registration(): ServiceRegistration {
    const { AccountCommandServiceService: definition } = accountpb;
    return {
      name: ACCOUNT_COMMAND_SERVICE,
      definition: {
        ...definition,
        post: bytesOnly(definition.post),
        postBatch: bytesOnly(definition.postBatch),
        postStream: bytesOnly(definition.postStream),
        transfer: bytesOnly(definition.transfer),
        transferBatch: bytesOnly(definition.transferBatch),
      },
      implementation: {
        openAccount: unary((request: accountpb.OpenAccountRequest, call: CallContext) => this.openAccount(request, call)),
        openAccounts: unary((request: accountpb.OpenAccountsRequest, call: CallContext) => this.openAccounts(request, call)),
        updateAccount: unary((request: accountpb.UpdateAccountRequest, call: CallContext) =>
          this.command(definition.updateAccount, request, request, updateOf(request), call),
        ),
        freezeAccount: unary((request: accountpb.FreezeAccountRequest, call: CallContext) =>
          this.command(definition.freezeAccount, request, request, statusChangeOf('freeze', request), call),
        ),
        unfreezeAccount: unary((request: accountpb.UnfreezeAccountRequest, call: CallContext) =>
          this.command(definition.unfreezeAccount, request, request, statusChangeOf('unfreeze', request), call),
        ),
        closeAccount: unary((request: accountpb.CloseAccountRequest, call: CallContext) =>
          this.command(definition.closeAccount, request, request, statusChangeOf('close', request), call),
        ),
        post: unary((bytes: Buffer, call: CallContext) => this.post(scanOne(bytes, 'posting', scanPostings), call)),
        postBatch: unary((bytes: Buffer, call: CallContext) => this.postBatch(scan(bytes, scanPostings), 'postings', call)),
        postStream: bidi((requests: AsyncIterable<Buffer>, send: Send<Buffer>, call: CallContext) => this.postStream(requests, send, call)),
        transfer: unary((bytes: Buffer, call: CallContext) => this.post(ordered(scanOne(bytes, 'transfer', scanTransfers), call), call)),
        transferBatch: unary((bytes: Buffer, call: CallContext) => this.postBatch(ordered(scan(bytes, scanTransfers), call), 'transfers', call)),
      },
    };
  }

  /** Transfers to aggregates of other capabilities, which ask for them in the name of the caller. */
  async transferElsewhere(orders: readonly TransferElsewhere[], call: CallContext): Promise<TransfersElsewhere> {
    const transfers = orders.map(({ key: toAccountId, capability: toCapability, order, signature, metadata, ...rest }) =>
      accountpb.TransferOrder.fromPartial({ ...rest, metadata, toAccountId, toCapability, order: Buffer.from(order), signature: Buffer.from(signature) }),
    );
    const batch = scan(Buffer.from(accountpb.TransferBatchRequest.encode({ transfers }).finish()), scanTransfers);
    const { results, positionToken } = accountpb.TransferBatchResponse.decode(await this.postBatch(batch, 'transfers', call));
    return { results, positionToken };
  }

  // ---- postings and transfers: a transfer travels as its debit ----

  private async post(batch: PostingBatch, call: CallContext): Promise<Buffer> {
    const positions = await this.run(this.router.route(batch), call);
    const outcome = batch.outcomes[0] as number;
    try {
      assertOwned(batch, call);
      if (outcome !== OUTCOME_ACCEPTED) {
        this.tallyRefusals(batch);
        throw postingErrorOf(batch, 0);
      }
      return encodePostResponse(batch, 0, this.token(positions));
    } finally {
      batch.release();
    }
  }

  private async postBatch(batch: PostingBatch, items: 'postings' | 'transfers', call: CallContext): Promise<Buffer> {
    try {
      if (batch.count === 0) throw invalidRequest(items, 'is empty');
      if (batch.count > MAXIMUM_BATCH_POSTINGS)
        throw refusal('BATCH_TOO_LARGE', `the batch has more than ${MAXIMUM_BATCH_POSTINGS} ${items}; send smaller batches`);
      const routed = this.router.route(batch);
      if (batch.atomic && routed.only === -1) throw refusal('BATCH_SPANS_PARTITIONS');
      const positions = await this.run(routed, call);
      assertOwned(batch, call);
      const accepted = acceptedCount(batch);
      if (accepted < batch.count) this.tallyRefusals(batch);
      return encodeBatchResponse(batch, accepted, this.token(positions));
    } finally {
      batch.release();
    }
  }

  private postStream(requests: AsyncIterable<Buffer>, send: Send<Buffer>, call: CallContext): Promise<void> {
    const { router } = this;
    return servePostingStream({ router, tokenOf: (positions) => this.token(positions), tally: (batch) => this.tallyRefusals(batch) }, requests, send, call);
  }

  private tallyRefusals(batch: PostingBatch): void {
    const counts = new Map<number, number>();
    for (let index = 0; index < batch.count; index += 1) {
      const outcome = batch.outcomes[index] as number;
      if (outcome !== OUTCOME_ACCEPTED) counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
    }
    for (const [outcome, count] of counts) this.dependencies.observer.rejected(reasonOf(outcome), count);
  }

  private run(routed: RoutedBatch, call: CallContext): Promise<Positions> {
    return new Promise((resolve) => this.router.submit(routed, call, resolve));
  }

  private token(positions: Positions): string {
    return positions.size === 0 ? '' : encodePositionToken({ incarnation: this.dependencies.incarnation, sequences: positions });
  }

  // ---- commands ----

  private async openAccount(request: accountpb.OpenAccountRequest, call: CallContext): Promise<accountpb.OpenAccountResponse> {
    const command = openingOf(request.account, 'account');
    return this.command(accountpb.AccountCommandServiceService.openAccount, request, request.account as accountpb.AccountOpening, command, call);
  }

  /** Decides here, or at the owner. */
  private async command<Request>(
    definition: MethodDefinition<Request, { result: accountpb.CommandResult | undefined }>,
    request: Request,
    ids: { requestId: string; accountId: string },
    command: KeyedCommand,
    call: CallContext,
  ): Promise<{ result: accountpb.CommandResult | undefined }> {
    const { engine, forwarding, seeds } = this.dependencies;
    const item = itemOf(seeds, ids.requestId, ids.accountId, command);
    const partition = this.partitionOf(item);
    call.awaitedPartition = partition;
    if (forwarding !== undefined && engine.partition(partition) === undefined) {
      return commandAtOwner(forwarding.hop, partition, definition, request, call);
    }
    const positions: Positions = new Map();
    await this.submitShare(partition, [item], positions, call);
    if (item.outcome === NOT_OWNER && forwarding !== undefined) {
      if (call.forwarded) throw notOwner(partition);
      return commandAtOwner(forwarding.hop, partition, definition, request, call);
    }
    if (item.outcome !== OUTCOME_ACCEPTED) {
      this.dependencies.observer.rejected(reasonOf(item.outcome), 1);
      throw errorOf(item.outcome, item.message);
    }
    return { result: resultOf(item, this.token(positions)) };
  }

  private async openAccounts({ accounts }: accountpb.OpenAccountsRequest, call: CallContext): Promise<accountpb.OpenAccountsResponse> {
    if (accounts.length === 0) throw invalidRequest('accounts', 'is empty');
    if (accounts.length > MAXIMUM_BATCH_POSTINGS)
      throw refusal('BATCH_TOO_LARGE', `the batch has more than ${MAXIMUM_BATCH_POSTINGS} accounts; send smaller batches`);
    const items: AccountCommandItem[] = [];
    for (const [index, account] of accounts.entries()) {
      items.push(this.openingItem(account, `accounts[${index}]`));
      if (items.length % OPENINGS_PER_ROUND === 0) await nextRound();
    }
    const positions = await this.submitOpenings(items, accounts, call);
    return {
      results: items.map((item) =>
        item.outcome === OUTCOME_ACCEPTED
          ? { result: resultOf(item, ''), error: undefined }
          : { result: undefined, error: itemErrorOf(item.outcome, item.message) },
      ),
      positionToken: this.token(positions),
    };
  }

  private openingItem(account: accountpb.AccountOpening, at: string): AccountCommandItem {
    const { seeds } = this.dependencies;
    try {
      return itemOf(seeds, account.requestId, account.accountId, openingOf(account, at));
    } catch (error) {
      if (!(error instanceof SluiceError) || error.reason !== 'INVALID_REQUEST') throw error;
      const refused = itemOf(seeds, account.requestId, account.accountId, { command: { kind: 'close', note: '' } });
      refused.outcome = INVALID_REQUEST;
      refused.message = error.message;
      return refused;
    }
  }

  private async submitOpenings(items: readonly AccountCommandItem[], accounts: readonly accountpb.AccountOpening[], call: CallContext): Promise<Positions> {
    const { engine, forwarding } = this.dependencies;
    const shares = new Map<number, number[]>();
    for (const [at, item] of items.entries()) {
      if (item.outcome !== OUTCOME_NONE) continue;
      const partition = this.partitionOf(item);
      const share = shares.get(partition);
      if (share === undefined) shares.set(partition, [at]);
      else share.push(at);
    }
    const positions: Positions = new Map();
    await Promise.all(
      [...shares].map(async ([partition, share]) => {
        const shareItems = share.map((at) => items[at] as AccountCommandItem);
        const isOwned = engine.partition(partition) !== undefined;
        if (forwarding === undefined || isOwned) await this.submitShare(partition, shareItems, positions, call);
        const isElsewhere = !isOwned || shareItems.some(({ outcome }) => outcome === NOT_OWNER);
        if (forwarding === undefined || !isElsewhere) return;
        if (call.forwarded) throw notOwner(partition);
        const openings = share.map((at) => accounts[at] as accountpb.AccountOpening);
        await forwarding.openings(partition, shareItems, openings, positions, call);
      }),
    );
    return positions;
  }

  private partitionOf({ accountIdBytes }: AccountCommandItem): number {
    return partitionOfHash(keyHash(accountIdBytes, 0, accountIdBytes.length), this.dependencies.engine.partitionCount);
  }

  private submitShare(partition: number, items: readonly AccountCommandItem[], positions: Positions, call: CallContext): Promise<void> {
    const owned = this.dependencies.engine.partition(partition);
    if (owned === undefined || owned.state !== 'serving') {
      for (const item of items) item.outcome = NOT_OWNER;
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      const done = (): void => {
        if (submission.sequence > 0) positions.set(partition, submission.sequence);
        resolve();
      };
      const submission = new CommandSubmission(owned.stateOf('account') as AccountState, owned, items, done, activeTraceparent());
      submission.submit(call);
    });
  }
}

function resultOf(item: AccountCommandItem, positionToken: string): accountpb.CommandResult {
  const { answer } = item;
  if (answer === undefined) throw new Error(`the command on ${item.accountId} was accepted without an answer`);
  return {
    accountId: item.accountId,
    balanceMinor: answer.balanceMinor,
    heldMinor: answer.heldMinor,
    status: answer.status,
    version: BigInt(answer.version),
    repeated: item.repeated,
    positionToken,
    signingKeyId: answer.signingKeyId,
  };
}

/** A hop for a partition that went to another instance meanwhile is refused, so that its sender finds the owner. */
function assertOwned(batch: PostingBatch, { forwardedTo }: CallContext): void {
  if (forwardedTo === undefined) return;
  for (let index = 0; index < batch.count; index += 1) if (batch.outcomes[index] === NOT_OWNER) throw notOwner(forwardedTo);
}

/** Only other capabilities order transfers to their aggregates: those of a caller are refused, one by one. */
function ordered(batch: PostingBatch, { forwarded }: CallContext): PostingBatch {
  if (forwarded) return batch;
  for (let index = 0; index < batch.count; index += 1) {
    if (batch.outcomes[index] === OUTCOME_NONE && isToCapability(batch, index)) {
      SHAPE_ISSUES.invalid(batch, index, 'to_capability and order are for transfers that a capability orders, like a gift');
    }
  }
  return batch;
}

type ScanBatch = (bytes: Uint8Array, issues: ScanIssues) => PostingBatch;

function scan(bytes: Buffer, scanBatch: ScanBatch): PostingBatch {
  try {
    return scanBatch(bytes, SHAPE_ISSUES);
  } catch (error) {
    if (error instanceof MalformedMessageError) throw invalidRequest('request', `is not the message that the method takes: ${error.message}`);
    throw error;
  }
}

/** The posting of a PostRequest, or the transfer of a TransferRequest, as a batch of one. */
function scanOne(bytes: Buffer, item: 'posting' | 'transfer', scanBatch: ScanBatch): PostingBatch {
  const batch = scan(bytes, scanBatch);
  if (batch.count !== 1) {
    batch.release();
    throw invalidRequest(item, 'is missing');
  }
  // What is `atomic` in a batch is a field that nobody knows here.
  batch.atomic = false;
  return batch;
}

function bytesOnly<Definition extends object>(definition: Definition) {
  return { ...definition, requestDeserialize: (bytes: Buffer) => bytes, responseSerialize: (bytes: Buffer) => bytes };
}

/**
 * Requests for partitions that another instance owns: one hop over gRPC to the owner, with the verified caller and the deadline. The owner's
 * verdicts come back into the columns of the batch. Where nobody is known to own the partition, or the owner does not answer, the items
 * are PARTITION_UNAVAILABLE: the caller sends them again, with the same request ids.
 */
import { status, type ServiceError } from '@grpc/grpc-js';
import { accountpb, decodePositionToken, END, OUTCOME_ACCEPTED, START, STRIDE, type PostingBatch } from '@sluice/protocol';
import { errorInfoOf, forwardingMetadata, REASONS, refusal, SluiceError, type CallContext, type Reason } from '@sluice/service';
import type { PartitionOwnership } from '../ownership/partition-ownership';
import type { PeerConnections } from '../ownership/peer-connections';
import type { AccountCommandItem } from './command-submission';
import { INVALID_REQUEST, outcomeOfReason, PARTITION_UNAVAILABLE } from './outcomes';
import { failShare, type Positions } from './posting-router';

/** How long a hop may take where the caller said nothing. */
const HOP_MS = 10_000;

export class AccountForwarding {
  constructor(
    private readonly ownership: PartitionOwnership,
    private readonly peers: PeerConnections,
  ) {}

  async postings(partition: number, batch: PostingBatch, indexes: readonly number[], positions: Positions, call: CallContext): Promise<void> {
    try {
      const response = await this.send<accountpb.PostBatchResponse>(partition, call, (client, metadata, options, done) =>
        client.makeUnaryRequest(POST_BATCH.path, asIs, POST_BATCH.responseDeserialize, encodeShare(batch, indexes), metadata, options, done),
      );
      response.results.forEach((result, item) => takeResult(batch, indexes[item] as number, result));
      takePositions(response.positionToken, positions);
    } catch (error) {
      const outcome = outcomeOfError(error);
      failShare(batch, indexes, outcome);
      if (outcome === INVALID_REQUEST) for (const index of indexes) batch.messages.set(index, (error as ServiceError).details);
    }
  }

  /** Opens accounts at their owner. */
  async openings(
    partition: number,
    items: readonly AccountCommandItem[],
    accounts: readonly accountpb.AccountOpening[],
    positions: Positions,
    call: CallContext,
  ): Promise<void> {
    try {
      const response = await this.send<accountpb.OpenAccountsResponse>(partition, call, (client, metadata, options, done) =>
        client.openAccounts({ accounts: [...accounts] }, metadata, options, done),
      );
      response.results.forEach(({ result, error }, at) => {
        const item = items[at] as AccountCommandItem;
        if (result !== undefined) takeCommandResult(item, result);
        else refuse(item, error);
      });
      takePositions(response.positionToken, positions);
    } catch (error) {
      for (const item of items) item.outcome = outcomeOfError(error);
    }
  }

  /** Sends a command on one account on as it is; a refusal of the owner's is thrown as it came. */
  async command<Response>(
    partition: number,
    call: CallContext,
    run: (
      client: accountpb.AccountCommandServiceClient,
      metadata: ReturnType<typeof forwardingMetadata>,
      options: { deadline: number },
      done: Done<Response>,
    ) => unknown,
  ): Promise<Response> {
    try {
      return await this.send(partition, call, run);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      const info = errorInfoOf(error as ServiceError);
      if (info !== undefined && isReason(info.reason)) throw refusal(info.reason, (error as ServiceError).details, info.metadata);
      throw refusal('PARTITION_UNAVAILABLE', 'the owner of the partition does not answer; send the request again, with the same request id');
    }
  }

  private async send<Response>(
    partition: number,
    call: CallContext,
    run: (
      client: accountpb.AccountCommandServiceClient,
      metadata: ReturnType<typeof forwardingMetadata>,
      options: { deadline: number },
      done: Done<Response>,
    ) => unknown,
  ): Promise<Response> {
    const metadata = this.peers.sign(forwardingMetadata(call));
    const deadline = Math.min(call.deadlineMs, Date.now() + HOP_MS);
    const known = this.ownership.ownerOf(partition) ?? (await this.ownership.findOwner(partition));
    if (known === undefined) throw new NoOwnerError(partition);
    try {
      return await once(run, this.peers.client(known), metadata, deadline);
    } catch (error) {
      // The owner may have changed since: nothing was done there, so the new one is asked once.
      if (!isUnavailable(error)) throw error;
      const found = await this.ownership.findOwner(partition);
      if (found === undefined || found === known) throw error;
      return once(run, this.peers.client(found), metadata, deadline);
    }
  }
}

type Done<Response> = (error: ServiceError | null, response?: Response) => void;

const POST_BATCH = accountpb.AccountCommandServiceService.postBatch;

/** Nobody is known to own the partition. */
class NoOwnerError extends Error {
  constructor(partition: number) {
    super(`nobody is known to own partition ${partition}`);
    this.name = 'NoOwnerError';
  }
}

function once<Response>(
  run: (
    client: accountpb.AccountCommandServiceClient,
    metadata: ReturnType<typeof forwardingMetadata>,
    options: { deadline: number },
    done: Done<Response>,
  ) => unknown,
  client: accountpb.AccountCommandServiceClient,
  metadata: ReturnType<typeof forwardingMetadata>,
  deadline: number,
): Promise<Response> {
  return new Promise((resolve, reject) =>
    run(client, metadata, { deadline }, (error, response) => (error === null ? resolve(response as Response) : reject(error))),
  );
}

/** The postings as they came, as a PostBatchRequest of their own. */
function encodeShare(batch: PostingBatch, indexes: readonly number[]): Buffer {
  const parts = indexes.map((index) => batch.bytes.subarray(batch.fields[index * STRIDE + START] as number, batch.fields[index * STRIDE + END] as number));
  if (batch.atomic) parts.push(Uint8Array.of(0x10, 0x01));
  return Buffer.concat(parts);
}

function takeResult(batch: PostingBatch, index: number, result: accountpb.PostingResult): void {
  batch.outcomes[index] = result.error === undefined ? OUTCOME_ACCEPTED : outcomeOfReason(result.error.reason);
  if (result.error !== undefined) batch.messages.set(index, result.error.message);
  batch.repeated[index] = result.repeated ? 1 : 0;
  batch.balancesAfter[index] = result.balanceAfterMinor;
  batch.heldAfter[index] = result.heldAfterMinor;
  batch.entryNumbers[index] = Number(result.entryNumber);
}

function takeCommandResult(item: AccountCommandItem, result: accountpb.CommandResult): void {
  item.outcome = OUTCOME_ACCEPTED;
  item.repeated = result.repeated;
  item.answer = {
    balanceMinor: result.balanceMinor,
    heldMinor: result.heldMinor,
    status: result.status,
    version: Number(result.version),
    signingKeyId: result.signingKeyId,
  };
}

function refuse(item: AccountCommandItem, error: accountpb.ItemError | undefined): void {
  item.outcome = error === undefined ? PARTITION_UNAVAILABLE : outcomeOfReason(error.reason);
  if (error !== undefined) item.message = error.message;
}

function takePositions(token: string, positions: Positions): void {
  if (token === '') return;
  for (const [partition, sequence] of decodePositionToken(token).sequences) positions.set(partition, sequence);
}

function isUnavailable(error: unknown): boolean {
  return (error as Partial<ServiceError>).code === status.UNAVAILABLE;
}

function isReason(reason: string): reason is Reason {
  return Object.hasOwn(REASONS, reason);
}

function outcomeOfError(error: unknown): number {
  if (error instanceof SluiceError) return outcomeOfReason(error.reason);
  const info = errorInfoOf(error as ServiceError);
  return info === undefined ? PARTITION_UNAVAILABLE : outcomeOfReason(info.reason);
}

function asIs(bytes: Buffer): Buffer {
  return bytes;
}

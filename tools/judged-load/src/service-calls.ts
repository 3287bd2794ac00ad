/** Calls to query, projector and scheduler, as promises, with what a judge needs of each. Every call has a channel of its own. */
import type { Client, Metadata, ServiceError } from '@grpc/grpc-js';
import { logpb, projectionpb, schedulerpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { type Access, metadataOf, PLAIN_ACCESS, QUICK_RECONNECT } from './access';
import { CALL_LIMIT_MS, called } from './called';

const FOLD_LIMIT_MS = 60_000;
const PAGE_SIZE = 1_000;

interface ServiceClient<Service extends Client> {
  new (address: string, credentials: Access['credentials'], options: typeof QUICK_RECONNECT): Service;
}

interface MessageStream<Message> {
  on(event: 'data', listener: (message: Message) => void): unknown;
  once(event: 'error', listener: (error: ServiceError) => void): unknown;
  once(event: 'end', listener: () => void): unknown;
}

export interface ServiceCallsOptions {
  readonly access?: Access;
  /** How long folding the whole log may take. */
  readonly foldLimitMs?: number;
}

export class ServiceCalls {
  private readonly access: Access;
  private readonly foldLimitMs: number;

  constructor({ access = PLAIN_ACCESS, foldLimitMs = FOLD_LIMIT_MS }: ServiceCallsOptions = {}) {
    this.access = access;
    this.foldLimitMs = foldLimitMs;
  }

  account(queryAddress: string, accountId: string, positionToken = '', limitMs = CALL_LIMIT_MS): Promise<accountpb.Account> {
    return this.with(accountpb.AccountQueryServiceClient, queryAddress, async (client, metadata) => {
      const { account } = await called(client.getAccount.bind(client), { accountId, positionToken, positionTokens: [] }, { metadata, limitMs });
      if (account === undefined) throw new Error(`${accountId}: an answer without an account`);
      return account;
    });
  }

  /** All entries of the account, the oldest first. */
  entries(queryAddress: string, accountId: string): Promise<accountpb.Entry[]> {
    return this.with(accountpb.AccountQueryServiceClient, queryAddress, async (client, metadata) => {
      const entries: accountpb.Entry[] = [];
      let pageToken = '';
      do {
        const request = accountpb.ListEntriesRequest.fromPartial({
          accountId,
          pageSize: PAGE_SIZE,
          pageToken,
          order: accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST,
        });
        const page = await called(client.listEntries.bind(client), request, { metadata });
        entries.push(...page.entries);
        pageToken = page.nextPageToken;
      } while (pageToken !== '');
      return entries;
    });
  }

  projectionStatus(projectorAddress: string): Promise<projectionpb.GetStatusResponse> {
    return this.with(projectionpb.ProjectionServiceClient, projectorAddress, (client, metadata) => called(client.getStatus.bind(client), {}, { metadata }));
  }

  /** The last message of the verification of everything. */
  verification(projectorAddress: string): Promise<projectionpb.VerifyAllResponse> {
    return this.with(projectionpb.ProjectionServiceClient, projectorAddress, (client, metadata) =>
      lastMessage<projectionpb.VerifyAllResponse>(client.verifyAll({}, metadata, this.foldDeadline())),
    );
  }

  /** The last message of a rebuild of the read collections. */
  rebuilt(projectorAddress: string): Promise<projectionpb.RebuildResponse> {
    return this.with(projectionpb.ProjectionServiceClient, projectorAddress, (client, metadata) =>
      lastMessage<projectionpb.RebuildResponse>(client.rebuild({}, metadata, this.foldDeadline())),
    );
  }

  /** Owner epochs of the partition's commits, in order. */
  epochs(projectorAddress: string, partition: number): Promise<bigint[]> {
    return this.with(logpb.LogServiceClient, projectorAddress, async (client, metadata) => {
      const epochs: bigint[] = [];
      let fromSequence = 1n;
      while (fromSequence !== 0n) {
        const request = { partition, fromSequence, pageSize: PAGE_SIZE, headersOnly: true };
        const page = await called(client.readCommits.bind(client), request, { metadata });
        epochs.push(...page.commits.map(({ epoch }) => epoch));
        fromSequence = page.nextSequence;
      }
      return epochs;
    });
  }

  /** Owner epoch of each partition's newest commit; it rises with every ownership. */
  async newestEpochs(projectorAddress: string): Promise<bigint[]> {
    const { partitions } = await this.projectionStatus(projectorAddress);
    return this.with(logpb.LogServiceClient, projectorAddress, (client, metadata) =>
      Promise.all(
        partitions.map(async ({ partition, headSequence }) => {
          const request = { partition, fromSequence: headSequence, pageSize: 1, headersOnly: true };
          const { commits } = await called(client.readCommits.bind(client), request, { metadata });
          return commits[0]?.epoch ?? 0n;
        }),
      ),
    );
  }

  schedulerStatus(schedulerAddress: string): Promise<schedulerpb.GetStatusResponse> {
    return this.with(schedulerpb.SchedulerServiceClient, schedulerAddress, (client, metadata) => called(client.getStatus.bind(client), {}, { metadata }));
  }

  private foldDeadline(): { deadline: number } {
    return { deadline: Date.now() + this.foldLimitMs };
  }

  private async with<Service extends Client, Result>(
    kind: ServiceClient<Service>,
    address: string,
    use: (client: Service, metadata: Metadata) => Promise<Result>,
  ): Promise<Result> {
    const client = new kind(address, this.access.credentials, QUICK_RECONNECT);
    try {
      return await use(client, metadataOf(this.access));
    } finally {
      client.close();
    }
  }
}

function lastMessage<Message>(stream: MessageStream<Message>): Promise<Message> {
  return new Promise<Message>((resolve, reject) => {
    let last: Message | undefined;
    stream.on('data', (message) => (last = message));
    stream.once('error', reject);
    stream.once('end', () => (last === undefined ? reject(new Error('the stream ended without a message')) : resolve(last)));
  });
}

/** Calls to the services, as promises, with the little that the tests need of each. */
import { credentials, Metadata, type requestCallback, type ServiceError } from '@grpc/grpc-js';
import { accountpb, logpb, projectionpb } from '@sluice/protocol';

const CALL_LIMIT_MS = 10_000;
const VERIFY_LIMIT_MS = 60_000;
const PAGE_SIZE = 1_000;

type Call<Request, Response> = (request: Request, metadata: Metadata, options: { deadline: number }, done: requestCallback<Response>) => unknown;

export function called<Request, Response>(call: Call<Request, Response>, request: Request, limitMs = CALL_LIMIT_MS): Promise<Response> {
  return new Promise((resolve, reject) => {
    call(request, new Metadata(), { deadline: Date.now() + limitMs }, (error, response) => {
      if (error !== null || response === undefined) reject(error ?? new Error('an empty answer'));
      else resolve(response);
    });
  });
}

/** A process that was killed is looked for again at once, not after grpc-js's growing pauses. */
export const QUICK_RECONNECT = { 'grpc.initial_reconnect_backoff_ms': 50, 'grpc.max_reconnect_backoff_ms': 100, 'grpc.enable_retries': 0 };

export async function accountOf(queryAddress: string, accountId: string, positionToken = ''): Promise<accountpb.Account> {
  const client = new accountpb.AccountQueryServiceClient(queryAddress, credentials.createInsecure(), QUICK_RECONNECT);
  try {
    const { account } = await called(client.getAccount.bind(client), { accountId, positionToken });
    if (account === undefined) throw new Error(`${accountId}: an answer without an account`);
    return account;
  } finally {
    client.close();
  }
}

/** All entries of the account, the oldest first. */
export async function entriesOf(queryAddress: string, accountId: string): Promise<accountpb.Entry[]> {
  const client = new accountpb.AccountQueryServiceClient(queryAddress, credentials.createInsecure(), QUICK_RECONNECT);
  const entries: accountpb.Entry[] = [];
  try {
    let pageToken = '';
    do {
      const request = accountpb.ListEntriesRequest.fromPartial({
        accountId,
        pageSize: PAGE_SIZE,
        pageToken,
        order: accountpb.EntryOrder.ENTRY_ORDER_OLDEST_FIRST,
      });
      const page = await called(client.listEntries.bind(client), request);
      entries.push(...page.entries);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
  } finally {
    client.close();
  }
  return entries;
}

export async function projectionStatus(projectorAddress: string): Promise<projectionpb.GetStatusResponse> {
  const client = new projectionpb.ProjectionServiceClient(projectorAddress, credentials.createInsecure(), QUICK_RECONNECT);
  try {
    return await called(client.getStatus.bind(client), {});
  } finally {
    client.close();
  }
}

/** The last message of the verification of everything. */
export async function verification(projectorAddress: string): Promise<projectionpb.VerifyAllResponse> {
  return lastMessage<projectionpb.VerifyAllResponse>(projectorAddress, (client, options) => client.verifyAll({}, new Metadata(), options));
}

export async function rebuilt(projectorAddress: string): Promise<projectionpb.RebuildResponse> {
  return lastMessage<projectionpb.RebuildResponse>(projectorAddress, (client, options) => client.rebuild({}, new Metadata(), options));
}

/** Owner epochs of the partition's commits, in order. */
export async function epochsOf(projectorAddress: string, partition: number): Promise<bigint[]> {
  const client = new logpb.LogServiceClient(projectorAddress, credentials.createInsecure(), QUICK_RECONNECT);
  const epochs: bigint[] = [];
  try {
    let fromSequence = 1n;
    while (fromSequence !== 0n) {
      const page = await called(client.readCommits.bind(client), { partition, fromSequence, pageSize: PAGE_SIZE, headersOnly: true });
      epochs.push(...page.commits.map(({ epoch }) => epoch));
      fromSequence = page.nextSequence;
    }
  } finally {
    client.close();
  }
  return epochs;
}

interface MessageStream<Message> {
  on(event: 'data', listener: (message: Message) => void): unknown;
  once(event: 'error', listener: (error: ServiceError) => void): unknown;
  once(event: 'end', listener: () => void): unknown;
}

async function lastMessage<Message>(
  projectorAddress: string,
  open: (client: projectionpb.ProjectionServiceClient, options: { deadline: number }) => MessageStream<Message>,
): Promise<Message> {
  const client = new projectionpb.ProjectionServiceClient(projectorAddress, credentials.createInsecure(), QUICK_RECONNECT);
  try {
    return await new Promise<Message>((resolve, reject) => {
      let last: Message | undefined;
      const stream = open(client, { deadline: Date.now() + VERIFY_LIMIT_MS });
      stream.on('data', (message) => (last = message));
      stream.once('error', reject);
      stream.once('end', () => (last === undefined ? reject(new Error('the stream ended without a message')) : resolve(last)));
    });
  } finally {
    client.close();
  }
}

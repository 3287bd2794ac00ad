/**
 * What a user of every service does, in one trace: posts, reads back what was posted, asks the scheduler how it stands. The root
 * span is the user's own.
 */
import { credentials, type requestCallback } from '@grpc/grpc-js';
import { schedulerpb } from '@sluice/protocol';
import { accountpb } from '@sluice/protocol/account';
import { tracingInterceptor } from '@sluice/service';
import { activeTraceparent, inSpan, parseTraceparent } from '@sluice/telemetry';

export interface Addresses {
  readonly command: string;
  readonly query: string;
  readonly scheduler: string;
}

const ACCOUNT = 'traced-account';
const UNIT = 'EUR';
const WARM_UP_POSTINGS = 20;

/** Opens the account and posts to it a few times, so that what is traced then is not the first of its kind; not part of the trace. */
export async function openTracedAccount({ command }: Addresses): Promise<void> {
  const client = new accountpb.AccountCommandServiceClient(command, credentials.createInsecure());
  const account = accountpb.AccountOpening.fromPartial({ requestId: `open-${ACCOUNT}`, accountId: ACCOUNT, unit: UNIT });
  try {
    await called((done) => client.openAccount({ account }, done));
    for (let warmUp = 1; warmUp <= WARM_UP_POSTINGS; warmUp += 1) await called((done) => client.post({ posting: posting(`warm-up-${warmUp}`) }, done));
  } finally {
    client.close();
  }
}

/** Resolves with the id of the trace. */
export async function callEveryService({ command, query, scheduler }: Addresses, requestId: string): Promise<string> {
  const traced = { interceptors: [tracingInterceptor] };
  const commands = new accountpb.AccountCommandServiceClient(command, credentials.createInsecure(), traced);
  const queries = new accountpb.AccountQueryServiceClient(query, credentials.createInsecure(), traced);
  const schedulers = new schedulerpb.SchedulerServiceClient(scheduler, credentials.createInsecure(), traced);
  try {
    return await inSpan('post and read back', {}, async () => {
      const { positionToken } = await called<accountpb.PostResponse>((done) => commands.post({ posting: posting(requestId) }, done));
      await called<accountpb.GetAccountResponse>((done) => queries.getAccount({ accountId: ACCOUNT, positionToken, positionTokens: [] }, done));
      await called<schedulerpb.GetStatusResponse>((done) => schedulers.getStatus({}, done));
      return parseTraceparent(activeTraceparent() ?? '')?.traceId ?? '';
    });
  } finally {
    for (const client of [commands, queries, schedulers]) client.close();
  }
}

function posting(requestId: string): accountpb.Posting {
  return accountpb.Posting.fromPartial({ requestId, accountId: ACCOUNT, type: accountpb.PostingType.POSTING_TYPE_CREDIT, amountMinor: 100n, unit: UNIT });
}

function called<Response>(call: (done: requestCallback<Response>) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => {
    call((error, response) => {
      if (error !== null || response === undefined) reject(error ?? new Error('an empty answer'));
      else resolve(response);
    });
  });
}

/** Plain gRPC calls: no retries, no batching, nothing of the client library. */
import { credentials, Metadata, status, type ServiceError } from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';
import { errorInfoOf } from '@sluice/service';

const MAXIMUM_MESSAGE_BYTES = 64 << 20;

export class Calls {
  readonly client: accountpb.AccountCommandServiceClient;
  readonly queries: accountpb.AccountQueryServiceClient;

  constructor(readonly address: string) {
    const options = {
      'grpc.enable_retries': 0,
      'grpc.max_send_message_length': MAXIMUM_MESSAGE_BYTES,
      'grpc.max_receive_message_length': MAXIMUM_MESSAGE_BYTES,
    };
    this.client = new accountpb.AccountCommandServiceClient(address, credentials.createInsecure(), options);
    this.queries = new accountpb.AccountQueryServiceClient(address, credentials.createInsecure(), options);
  }

  close(): void {
    this.client.close();
    this.queries.close();
  }

  open(account: Partial<accountpb.AccountOpening>): Promise<accountpb.OpenAccountResponse> {
    const request = accountpb.OpenAccountRequest.fromPartial({ account: { unit: 'EUR', requestId: `open ${account.accountId}`, ...account } });
    return answered((done) => this.client.openAccount(request, done));
  }

  post(posting: Partial<accountpb.Posting>, deadlineMs = 20_000): Promise<accountpb.PostResponse> {
    const request = accountpb.PostRequest.fromPartial({ posting });
    return answered((done) => this.client.post(request, new Metadata(), { deadline: Date.now() + deadlineMs }, done));
  }

  batch(postings: readonly Partial<accountpb.Posting>[], atomic = false): Promise<accountpb.PostBatchResponse> {
    const request = accountpb.PostBatchRequest.fromPartial({ postings: [...postings], atomic });
    return answered((done) => this.client.postBatch(request, new Metadata(), { deadline: Date.now() + 20_000 }, done));
  }

  account(accountId: string, positionToken: string): Promise<accountpb.GetAccountResponse> {
    return answered((done) => this.queries.getAccount(accountpb.GetAccountRequest.fromPartial({ accountId, positionToken }), done));
  }

  /** Sends bytes as the request of a method. */
  raw(path: string, bytes: Buffer): Promise<Buffer> {
    const asIs = (value: Buffer): Buffer => value;
    return answered((done) => this.client.makeUnaryRequest(path, asIs, asIs, bytes, new Metadata(), { deadline: Date.now() + 20_000 }, done));
  }
}

/** The answer to a call; rejects with the ServiceError of a refused one. */
export function answered<Response>(call: (done: (error: ServiceError | null, response?: Response) => void) => unknown): Promise<Response> {
  return new Promise((resolve, reject) => call((error, response) => (error === null ? resolve(response as Response) : reject(error))));
}

/** Code and reason of a refused call, like "NOT_FOUND ACCOUNT_NOT_FOUND"; "OK" if it was not refused. */
export async function refusalOf(call: Promise<unknown>): Promise<string> {
  try {
    await call;
    return 'OK';
  } catch (error) {
    const refused = error as ServiceError;
    return [status[refused.code], errorInfoOf(refused)?.reason].filter((part) => part !== undefined).join(' ');
  }
}

export function credit(accountId: string, requestId: string, amountMinor: bigint, rest: Partial<accountpb.Posting> = {}): Partial<accountpb.Posting> {
  return { accountId, requestId, amountMinor, unit: 'EUR', type: accountpb.PostingType.POSTING_TYPE_CREDIT, ...rest };
}

/**
 * The yardstick: a bare grpc-js server that decodes every request with the generated code and answers with as many and as
 * large results, and does nothing else. What a server on this stack could do at best if deciding, storing and projecting
 * cost nothing.
 */
import * as grpc from '@grpc/grpc-js';
import { accountpb } from '@sluice/protocol/account';
import { answerOrders } from '../machine/orders';
import type { EchoAnswer, EchoOrder } from './echo-order';

answerOrders<EchoOrder, EchoAnswer>(async ({ positionToken }) => {
  const server = new grpc.Server({ 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 });
  const { postBatch, post } = accountpb.AccountCommandServiceService;
  server.addService({ postBatch, post }, echoOf(positionToken));
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync('127.0.0.1:0', grpc.ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound)));
  });
  return { address: `127.0.0.1:${port}` };
});

function echoOf(positionToken: string): grpc.UntypedServiceImplementation {
  // Numbers that grow as an account's do: they take as many bytes on the wire.
  let balanceMinor = 0n;
  let entryNumber = 0n;
  const resultOf = ({ amountMinor }: accountpb.Posting): accountpb.PostingResult => {
    balanceMinor += amountMinor;
    entryNumber += 1n;
    return { balanceAfterMinor: balanceMinor, heldAfterMinor: 0n, entryNumber, repeated: false, error: undefined };
  };
  const postBatch: grpc.handleUnaryCall<accountpb.PostBatchRequest, accountpb.PostBatchResponse> = ({ request }, callback) => {
    const results = request.postings.map(resultOf);
    callback(null, { results, positionToken, acceptedCount: results.length });
  };
  const post: grpc.handleUnaryCall<accountpb.PostRequest, accountpb.PostResponse> = ({ request }, callback) => {
    callback(null, { result: request.posting === undefined ? undefined : resultOf(request.posting), positionToken });
  };
  return { postBatch, post };
}

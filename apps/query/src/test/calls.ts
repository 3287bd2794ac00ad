/** Calls of query services, as tests make them. */
import { type ClientReadableStream, Metadata, type ServiceError } from '@grpc/grpc-js';

/** A method of a client, bound to it. */
export type Unary<Request, Response> = (request: Request, metadata: Metadata, callback: (error: ServiceError | null, response: Response) => void) => unknown;

export function unary<Request, Response>(method: Unary<Request, Response>, request: Request): Promise<Response> {
  return new Promise((resolve, reject) => method(request, new Metadata(), (error, response) => (error === null ? resolve(response) : reject(error))));
}

/** What a watch says first. The watch is ended. */
export async function first<Response>(stream: ClientReadableStream<Response>): Promise<Response> {
  try {
    for await (const response of stream) return response as Response;
    throw new Error('the watch has ended');
  } finally {
    stream.on('error', () => undefined);
    stream.cancel();
  }
}

/** Ids of requests as the index of requests knows them: hashed within their queue. */
import { type PartitionServices, requestHash } from '@sluice/engine';

/** The prefix keeps them apart from the requests of other capabilities. */
const HASHED_PREFIX = Buffer.from('task.queue/', 'utf8');
/** Prefix and id are put together here: a buffer for each id would cost more than the hash. */
const hashed = Buffer.alloc(1_024);
HASHED_PREFIX.copy(hashed);
const BYTES_PER_UNIT = 3;

/** @param queueHash `keyedHash` of the queue's name. */
export function hashTaskRequest(seeds: PartitionServices['seeds'], queueHash: number, requestId: string): void {
  if (HASHED_PREFIX.length + BYTES_PER_UNIT * requestId.length > hashed.length) {
    const id = Buffer.concat([HASHED_PREFIX, Buffer.from(requestId, 'utf8')]);
    requestHash(seeds, queueHash, id, 0, id.length);
    return;
  }
  const length = hashed.write(requestId, HASHED_PREFIX.length, 'utf8');
  requestHash(seeds, queueHash, hashed, 0, HASHED_PREFIX.length + length);
}

/** The same of an id that stands in a message, in ASCII. */
export function hashTaskRequestIn(seeds: PartitionServices['seeds'], queueHash: number, bytes: Uint8Array, from: number, to: number): void {
  let at = HASHED_PREFIX.length;
  for (let next = from; next < to; next += 1) hashed[at++] = bytes[next] as number;
  requestHash(seeds, queueHash, hashed, 0, at);
}

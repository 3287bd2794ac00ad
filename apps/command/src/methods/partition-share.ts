/** Requests of one call for one partition: where they belong, and their decision in this instance. */
import { keyHash, partitionOfWholeKey } from '@sluice/domain';
import { AggregateSubmission, type AggregateRequest, type Engine, type RequestBody, type SubmissionCaller } from '@sluice/engine';
import { MalformedMessageError, MAXIMUM_ID_BYTES } from '@sluice/protocol';
import { checkText, invalidRequest, type SluiceError } from '@sluice/service';
import { activeTraceparent } from '@sluice/telemetry';

/** A submission is taken whole: of a large share several are made. */
const SUBMISSION_BYTES = 8 << 20;

/** Decodes what a caller sent. Throws INVALID_REQUEST for bytes that are no such message: decoders throw errors of every kind for them. */
export function readMessage<Message>(decode: (bytes: Buffer) => Message, bytes: Buffer): Message {
  try {
    return decode(bytes);
  } catch (error) {
    throw notTheMessage(error);
  }
}

function notTheMessage(error: unknown): SluiceError {
  return invalidRequest('request', `is not the message that the method takes: ${error instanceof Error ? error.message : String(error)}`);
}

/** Reads a request and checks the ids in it. Throws INVALID_REQUEST, and what the capability throws for a wrong shape. */
export function readRequest(read: () => RequestBody<unknown>): RequestBody<unknown> {
  let body: RequestBody<unknown>;
  try {
    body = read();
  } catch (error) {
    if (error instanceof MalformedMessageError) throw notTheMessage(error);
    throw error;
  }
  checkText(body.requestId, 'request_id', 1, MAXIMUM_ID_BYTES);
  checkText(body.key, body.keyField, 1, MAXIMUM_ID_BYTES);
  return body;
}

export function partitionOfKey(engine: Engine, key: string): number {
  const bytes = Buffer.from(key, 'utf8');
  return engine.partitionOfHash(keyHash(bytes, 0, bytes.length));
}

/** Where the request belongs. */
export function partitionOf(engine: Engine, { key, wholeKey = false }: RequestBody<unknown>): number {
  return wholeKey ? partitionOfWholeKey(Buffer.from(key, 'utf8'), engine.partitionCount) : partitionOfKey(engine, key);
}

/**
 * Decides the requests, whose verdicts are in them then. Resolves with the sequence on which the answers depend; 0: none.
 * Where this instance does not serve the partition they are refused as NOT_OWNER.
 */
export async function decideHere(
  engine: Engine,
  capability: string,
  partition: number,
  requests: readonly AggregateRequest[],
  caller: SubmissionCaller,
): Promise<number> {
  const owned = engine.partition(partition);
  if (owned === undefined || owned.state !== 'serving') {
    for (const request of requests) request.verdict = { kind: 'refused', refusal: 'NOT_OWNER' };
    return 0;
  }
  const sequences = await Promise.all(
    partsThatFit(requests, Math.min(SUBMISSION_BYTES, engine.commitRoomBytes)).map(
      (part) =>
        new Promise<number>((resolve) => {
          const submission = new AggregateSubmission(owned, capability, part, () => resolve(submission.sequence), activeTraceparent());
          submission.submit(caller);
        }),
    ),
  );
  return Math.max(...sequences);
}

/** Cuts requests into runs that record at most so many bytes; one request may be larger, and is refused by the partition. */
function partsThatFit(requests: readonly AggregateRequest[], bytes: number): AggregateRequest[][] {
  const parts: AggregateRequest[][] = [];
  let left = 0;
  for (const request of requests) {
    if (parts.length === 0 || request.recordBytes > left) {
      parts.push([]);
      left = bytes;
    }
    left -= request.recordBytes;
    (parts.at(-1) as AggregateRequest[]).push(request);
  }
  return parts;
}

/**
 * Commits as people read them: events as google.protobuf.Any with their message's name, so that grpcurl shows their fields. An
 * event that this version does not know is named with its version, without its fields.
 */
import { type DecodedCommit, type EventRecord, eventTableOf, type logpb, timestampFromUs } from '@sluice/protocol';

const TYPE_URL_PREFIX = 'type.googleapis.com/';

export function commitView(commit: DecodedCommit, headersOnly: boolean): logpb.CommitView {
  return {
    partition: commit.partition,
    sequence: BigInt(commit.sequence),
    epoch: BigInt(commit.epoch),
    committedAt: timestampFromUs(commit.committedAtUs),
    sizeBytes: commit.bytes.length,
    checksum: Buffer.from(commit.checksum).toString('hex'),
    traceparents: [...commit.traceparents],
    events: headersOnly ? [] : commit.events.map(eventView),
  };
}

function eventView({ type, version, payload }: EventRecord): logpb.EventView {
  const messageName = eventTableOf(type)?.messageName(type, version);
  if (messageName === undefined) return { type, version, event: undefined };
  const value = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  return { type, version, event: { typeUrl: `${TYPE_URL_PREFIX}${messageName}`, value } };
}

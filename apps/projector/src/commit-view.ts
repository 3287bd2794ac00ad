/** Commits as people read them: events as google.protobuf.Any with their type's name, so that grpcurl shows their fields. */
import { type DecodedCommit, type logpb, timestampFromUs } from '@sluice/protocol';

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
    events: headersOnly
      ? []
      : commit.events.map(({ type, version, payload }) => ({
          type,
          version,
          event: { typeUrl: `${TYPE_URL_PREFIX}${messageName(type, version)}`, value: Buffer.from(payload.buffer, payload.byteOffset, payload.length) },
        })),
  };
}

/** "account.PostingsRecorded", version 1: sluice.account.v1.PostingsRecorded. */
function messageName(type: string, version: number): string {
  const dot = type.indexOf('.');
  return `sluice.${type.slice(0, dot)}.v${version}.${type.slice(dot + 1)}`;
}

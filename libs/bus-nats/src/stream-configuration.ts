/**
 * How a stream must be configured for the promises to hold. Streams are made where they are missing and never changed: one
 * that is configured otherwise was configured by a person, who is told what differs and decides.
 */
import { type StreamConfig, type StreamInfo } from '@nats-io/jetstream';

import { isStreamGone, isStreamNameInUse } from './jetstream-errors';
import type { NatsLink } from './nats-link';

export type ExpectedStream = Partial<StreamConfig> & Pick<StreamConfig, 'name'>;

export class StreamMismatchError extends Error {
  constructor(
    readonly stream: string,
    readonly differences: readonly string[],
  ) {
    super(`the stream ${stream} is configured otherwise than expected: ${differences.join('; ')}. Change the stream or the configuration`);
    this.name = 'StreamMismatchError';
  }
}

/** Makes the stream if it is missing; true: it was made now. */
export async function ensureStream(link: NatsLink, expected: ExpectedStream): Promise<boolean> {
  const found = await streamInfo(link, expected.name);
  if (found !== undefined) {
    compare(expected, found);
    return false;
  }
  try {
    compare(expected, await link.manager.streams.add(expected));
    return true;
  } catch (error) {
    // Another process made it in the same moment, perhaps from another configuration.
    if (!isStreamNameInUse(error)) throw error;
    compare(expected, (await streamInfo(link, expected.name)) as StreamInfo);
    return false;
  }
}

async function streamInfo(link: NatsLink, name: string): Promise<StreamInfo | undefined> {
  try {
    return await link.manager.streams.info(name);
  } catch (error) {
    if (isStreamGone(error)) return undefined;
    throw error;
  }
}

function compare(expected: ExpectedStream, { config }: StreamInfo): void {
  const found = config as unknown as Readonly<Record<string, unknown>>;
  const differences = Object.entries(expected)
    .filter(([field, value]) => JSON.stringify(value) !== JSON.stringify(found[field]))
    .map(([field, value]) => `${field} is ${JSON.stringify(found[field])}, expected ${JSON.stringify(value)}`);
  if (differences.length > 0) throw new StreamMismatchError(expected.name, differences);
}

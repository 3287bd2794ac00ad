/** The stream of commits from below, to do to it what should not happen. */
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import type { Distributed } from '@sluice/distributed';

export const STREAM = 'SLUICE_main_COMMITS';

export function subjectOf(partition: number): string {
  return `sluice.main.commits.${partition}`;
}

export async function withStreams<Result>({ nats }: Distributed, use: (manager: JetStreamManager) => Promise<Result>): Promise<Result> {
  const connection = await connect({ servers: nats.url });
  try {
    return await use(await jetstreamManager(connection));
  } finally {
    await connection.close();
  }
}

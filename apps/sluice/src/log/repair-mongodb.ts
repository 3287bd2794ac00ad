/** `sluice log repair` for a log in MongoDB. What is dropped is kept in a collection beside it. */
import { systemClock } from '@sluice/ports';
import { type Configuration, natsOptionsOf } from '@sluice/service';
import { EXIT, PlainFailure, UsageError } from '../exit-code';
import { openMongoDb } from './mongodb';
import type { RepairableLog } from './repairable-log';
import { runningInstances } from './running-instances';

const OBSERVER = { id: 'log repair', address: 'none' };
const OBSERVER_TTL_MS = 2_000;

/** Throws UsageError where it is not said how to see who is at work, and PlainFailure if the server does not answer. */
export async function logInMongoDb(url: string, configuration: Configuration): Promise<RepairableLog> {
  const { natsUrl } = configuration;
  if (natsUrl === undefined) throw new UsageError('say where the services meet, so that one that still works is seen: --nats-url, or SLUICE_NATS_URL');
  const { logExtent, NoEventLogError, repairLog } = await import('@sluice/store-mongo');
  const connection = await openMongoDb(url);
  const refused = (error: unknown): never => {
    throw error instanceof NoEventLogError ? new PlainFailure(error.message, EXIT.refused) : error;
  };
  return {
    place: `at ${connection.describe}`,
    heads: () => logExtent(connection).catch(refused),
    assertUnused: async () => {
      const running = await instancesOf(natsUrl, configuration);
      if (running.length > 0) throw new PlainFailure(`stop every service first: ${running.join(', ')} still at work`, EXIT.refused);
    },
    drop: async (from) => {
      const { dropped, keptIn } = await repairLog(connection, from);
      return { dropped, keptIn: `collection ${keptIn}` };
    },
    close: () => connection.close(),
  };
}

async function instancesOf(url: string, configuration: Configuration): Promise<string[]> {
  const [{ SessionLease }, { NatsLeaseTable, NatsLink, NatsUnavailableError }] = await Promise.all([import('@sluice/leases'), import('@sluice/bus-nats')]);
  const link = await NatsLink.open(natsOptionsOf(url, configuration)).catch((error: unknown) => {
    throw error instanceof NatsUnavailableError ? new PlainFailure(`whether a service is at work cannot be seen: ${error.message}`, EXIT.unavailable) : error;
  });
  try {
    const lease = await SessionLease.open({
      table: await NatsLeaseTable.open({ link, deployment: configuration.deployment }),
      holder: OBSERVER,
      ttlMs: OBSERVER_TTL_MS,
    });
    try {
      return await runningInstances(lease, systemClock);
    } finally {
      await lease.close();
    }
  } finally {
    await link.close();
  }
}

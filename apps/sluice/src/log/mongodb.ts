/** MongoDB for the commands that mend a log. */
import type { MongoConnection } from '@sluice/store-mongo';
import { EXIT, PlainFailure } from '../exit-code';

/** Throws PlainFailure if the server does not answer. */
export async function openMongoDb(url: string): Promise<MongoConnection> {
  // Only here: no other command needs the driver.
  const { MongoConnection: Connection, MongoUnavailableError } = await import('@sluice/store-mongo');
  return Connection.open({ url }).catch((error: unknown) => {
    throw error instanceof MongoUnavailableError ? new PlainFailure(error.message, EXIT.unavailable) : error;
  });
}

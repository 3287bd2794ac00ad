/**
 * `sluice log new`: what a person does once when the log in MongoDB is lost for good. A command instance does not begin a log beside what was
 * made from one, because a log that is missing is most often a database that was not restored.
 */
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import { confirm, type Question } from '../confirmation';
import type { Surroundings } from '../connection';
import { EXIT, PlainFailure, UsageError } from '../exit-code';
import { Output } from '../output';
import { openMongoDb } from './mongodb';
import { configurationFor } from '../serve/configuration';
import { partitionsOf } from '@sluice/service';

interface NewLogOptions {
  readonly logUrl?: string;
  readonly readUrl?: string;
  readonly servers?: number;
  readonly containers?: number;
  readonly yes?: boolean;
}

const LOST: Question = {
  consequence: 'this gives up every account of the lost log',
  text: 'Is every service stopped, and is the log lost for good?',
  otherwise: 'nothing was changed',
};

export function addNewLogCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('new')
    .description('begin a new event log in MongoDB in the place of one that is lost for good')
    .option('--log-url <url>', 'the MongoDB of the event log (SLUICE_LOG_URL, else SLUICE_MONGODB_URL)')
    .option('--read-url <url>', 'the MongoDB of the read store (SLUICE_READ_URL, else SLUICE_MONGODB_URL)')
    .option('--servers <number>', 'as the services are configured (SLUICE_SERVERS)', wholeNumber)
    .option('--containers <number>', 'as the services are configured (SLUICE_CONTAINERS)', wholeNumber)
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nStop every service; run this once; then start them. The new log has no accounts, and the read store is made anew from it.\n\nExample:\n  sluice log new --log-url mongodb://127.0.0.1/log --read-url mongodb://127.0.0.1/read',
    )
    .action(async (options: NewLogOptions, command: Command) => {
      const output = new Output(surroundings.terminal, command.optsWithGlobals<{ readonly json?: boolean }>().json === true);
      const { logUrl, readUrl, mongodbUrl, ...configuration } = configurationFor(surroundings.environment, given(options));
      const urls = { log: logUrl ?? mongodbUrl, read: readUrl ?? mongodbUrl };
      if (urls.log === undefined || urls.read === undefined) throw new UsageError('say where the log and the read store are: --log-url and --read-url');
      if (options.yes !== true) await confirm(surroundings, LOST);
      const incarnation = await begun(urls.log, urls.read, partitionsOf(configuration));
      output.thing({ incarnation }, [
        ['incarnation', incarnation],
        ['next', 'start the services: the read store is made anew'],
      ]);
    });
}

/** Only what the command line says. */
function given({ logUrl, readUrl, servers, containers }: NewLogOptions) {
  return {
    ...(logUrl !== undefined && { logUrl }),
    ...(readUrl !== undefined && { readUrl }),
    ...(servers !== undefined && { servers }),
    ...(containers !== undefined && { containers }),
  };
}

async function begun(logUrl: string, readUrl: string, partitions: number): Promise<string> {
  const { beginNewLog, EventLogPresentError, MongoReadStore } = await import('@sluice/store-mongo');
  const opened: { close(): Promise<void> }[] = [];
  const connect = async (url: string) => {
    const connection = await openMongoDb(url);
    opened.push(connection);
    return connection;
  };
  try {
    const succeeds = await new MongoReadStore({ connection: await connect(readUrl), collections: [] }).incarnation();
    return await beginNewLog((await connect(logUrl)).db, { partitions, succeeds });
  } catch (error) {
    throw error instanceof EventLogPresentError ? new PlainFailure(error.message, EXIT.refused) : error;
  } finally {
    for (const connection of opened) await connection.close();
  }
}

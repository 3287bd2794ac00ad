/**
 * `sluice log restored`: what a person does once after a log in MongoDB was restored from a backup, before anything is started
 * on it: it gets a new incarnation. Commits that were acknowledged after the backup are missing from it, while read stores and
 * callers' tokens may reflect them; with the new incarnation those are rebuilt or refused.
 */
import type { Command } from 'commander';
import { confirm, type Question } from '../confirmation';
import type { Surroundings } from '../connection';
import { EXIT, PlainFailure, UsageError } from '../exit-code';
import { Output } from '../output';
import { openMongoDb } from './mongodb';

interface RestoredOptions {
  readonly logUrl?: string;
  readonly yes?: boolean;
}

const RESTORED: Question = {
  consequence: 'this makes every read store and token of the log useless',
  text: 'Is every service stopped and the log restored?',
  otherwise: 'nothing was changed',
};

export function addRestoredCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('restored')
    .description('give an event log in MongoDB that was restored from a backup its new incarnation')
    .option('--log-url <url>', 'the MongoDB of the event log (SLUICE_LOG_URL, else SLUICE_MONGODB_URL)')
    .option('--yes', 'do not ask')
    .addHelpText(
      'after',
      '\nStop every service before the restore; run this once after it; then start them.\n\nExample:\n  sluice log restored --log-url mongodb://127.0.0.1/sluice',
    )
    .action(async (options: RestoredOptions, command: Command) => {
      const output = new Output(surroundings.terminal, command.optsWithGlobals<{ readonly json?: boolean }>().json === true);
      const url = [options.logUrl, surroundings.environment['SLUICE_LOG_URL'], surroundings.environment['SLUICE_MONGODB_URL']].find(
        (given) => (given ?? '') !== '',
      );
      if (url === undefined) throw new UsageError('say which log: --log-url, or SLUICE_LOG_URL');
      if (options.yes !== true) await confirm(surroundings, RESTORED);
      const incarnation = await renewed(url);
      output.thing({ incarnation }, [
        ['incarnation', incarnation],
        ['next', 'start the services: the read store and the snapshots are made anew'],
      ]);
    });
}

async function renewed(url: string): Promise<string> {
  const { NoEventLogError, renewIncarnation } = await import('@sluice/store-mongo');
  const connection = await openMongoDb(url);
  try {
    return await renewIncarnation(connection.db);
  } catch (error) {
    throw error instanceof NoEventLogError ? new PlainFailure(error.message, EXIT.refused) : error;
  } finally {
    await connection.close();
  }
}

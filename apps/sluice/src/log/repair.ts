/**
 * `sluice log repair --drop-from PARTITION:SEQUENCE`: gives up the commits of a partition from a sequence on. Never done
 * without being asked for: acknowledged postings are lost by it. What was made from the log (read store, snapshots, index)
 * is made anew at the next start. The log has a new incarnation afterwards, so that position tokens, and
 * copies of the read store that somebody kept, which may reflect what is gone, are refused.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { confirm } from '../confirmation';
import type { Surroundings } from '../connection';
import { chosenFolder } from '../data-folder';
import { UsageError } from '../exit-code';
import { Output } from '../output';
import { configurationFor } from '../serve/configuration';
import { logInFolder } from './repair-files';
import { logInMongoDb } from './repair-mongodb';
import type { CommitPlace, RepairableLog } from './repairable-log';

interface RepairOptions {
  readonly dropFrom: CommitPlace;
  readonly data?: string;
  readonly logUrl?: string;
  readonly natsUrl?: string;
  readonly yes?: boolean;
}

const HELP = `
In a data folder: take a copy of the folder first. In MongoDB: stop every service first; what is dropped is kept in the
collection droppedCommits.

Examples:
  sluice log repair --drop-from 2:4711
  sluice log repair --drop-from 2:4711 --log-url mongodb://127.0.0.1/sluice --nats-url nats://127.0.0.1`;

export function addRepairCommand(log: Command, surroundings: Surroundings): void {
  log
    .command('repair')
    .description('drop the commits of a partition from a sequence on; acknowledged postings are lost')
    .requiredOption('--drop-from <partition:sequence>', 'the first commit to drop', dropFrom)
    .option('--data <folder>', 'data folder (SLUICE_DATA_DIR; default .sluice); no server may be at work on it')
    .option('--log-url <url>', 'the MongoDB of the event log (SLUICE_LOG_URL, else SLUICE_MONGODB_URL); then no data folder is meant')
    .option('--nats-url <url>', 'where the services meet (SLUICE_NATS_URL): none may be at work')
    .option('--yes', 'do not ask')
    .addHelpText('after', HELP)
    .action(async (options: RepairOptions, command: Command) => {
      const output = new Output(surroundings.terminal, command.optsWithGlobals<{ readonly json?: boolean }>().json === true);
      const repairable = await chosenLog(options, surroundings.environment);
      try {
        await repair(repairable, options, surroundings, output);
      } finally {
        await repairable.close();
      }
    });
}

async function repair(log: RepairableLog, { dropFrom: from, yes }: RepairOptions, surroundings: Surroundings, output: Output): Promise<void> {
  const { partition, sequence } = from;
  const what = `${commitsFrom(from, await log.heads())} commits of partition ${partition}, from sequence ${sequence} on, ${log.place}`;
  await log.assertUnused();
  if (yes !== true)
    await confirm(surroundings, {
      consequence: `this would drop ${what}`,
      text: `Drop ${what}? What they acknowledged is lost.`,
      otherwise: 'nothing was dropped',
    });
  const { dropped, keptIn } = await log.drop(from);
  output.thing({ partition, sequence, dropped, ...(keptIn !== undefined && { keptIn }) }, [
    ['dropped', `${dropped} commits of partition ${partition}`],
    ['kept in', keptIn],
    ['newest commit now', sequence - 1],
    ['next', 'start the server: it makes the read store and the snapshots anew'],
  ]);
}

async function chosenLog({ data, logUrl, natsUrl }: RepairOptions, environment: NodeJS.ProcessEnv): Promise<RepairableLog> {
  if (data !== undefined && logUrl !== undefined) throw new UsageError('--data and --log-url are two logs: say one of them');
  const isInMongoDb = logUrl !== undefined || ['SLUICE_LOG_URL', 'SLUICE_MONGODB_URL'].some((variable) => (environment[variable] ?? '') !== '');
  if (data !== undefined || !isInMongoDb) return logInFolder(chosenFolder(data, environment));
  const configuration = configurationFor(environment, { ...(logUrl !== undefined && { logUrl }), ...(natsUrl !== undefined && { natsUrl }) });
  return logInMongoDb(configuration.logUrl ?? configuration.mongodbUrl ?? '', configuration);
}

function dropFrom(text: string): CommitPlace {
  const [, partition, sequence] = /^(\d{1,4}):([1-9]\d{0,14})$/.exec(text) ?? [];
  if (partition === undefined || sequence === undefined) throw new InvalidArgumentError('it is PARTITION:SEQUENCE, like 2:4711');
  return { partition: Number(partition), sequence: Number(sequence) };
}

/** How many commits would go. */
function commitsFrom({ partition, sequence }: CommitPlace, heads: readonly number[]): number {
  const head = heads[partition];
  if (head === undefined) throw new UsageError(`there are partitions 0 to ${heads.length - 1}, not ${partition}`);
  if (sequence > head) throw new UsageError(`the newest commit of partition ${partition} is ${head}: there is nothing to drop from ${sequence} on`);
  return head - sequence + 1;
}

/** `sluice replay bank`: a real file against a server; every answer is compared with what the bank wrote down. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DEFAULT_TARGET, SluiceClient } from '@sluice/client';
import { MalformedFileError, type ReplayObserver, replayBank, summarizeReplay } from '@sluice/replay';
import type { Command } from 'commander';
import { clientOf, type ConnectionOptions, type Surroundings } from '../connection';
import { chosenFolder } from '../data-folder';
import { EXIT, type ExitCode, PlainFailure } from '../exit-code';
import { Output, type ProgressBar } from '../output';
import { configurationFor } from '../serve/configuration';
import { startEmbedded } from '../serve/embedded';
import { isServing } from '../serve/probe';
import { workspaceTool } from '../workspace-tool';

/** Says as target: bring up every service as processes of their own, with the servers they need, and stop them afterwards. */
const DISTRIBUTED = 'distributed';

interface ReplayOptions extends ConnectionOptions {
  readonly data?: string;
}

/** Where to replay to, and what to end afterwards. */
interface Destination {
  readonly client: SluiceClient;
  readonly end: () => Promise<void>;
}

export function addReplayCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('replay')
    .description('replay a real file and compare every answer')
    .addHelpText('after', '\nExample:\n  sluice replay bank bank-1993.csv.gz')
    .command('bank')
    .description('post every transaction of a bank file and compare every balance')
    .argument('<file>', 'CSV, plain or gzipped: date,transaction_id,account_id,branch_id,amount_minor,balance_after_minor,kind')
    .option('--data <folder>', 'start an embedded server on this data folder')
    .addHelpText(
      'after',
      `
Without --target and --data: a server on ${DEFAULT_TARGET}, else an embedded one on the default data folder.
With --target distributed: every service as processes of their own, on NATS and MongoDB, brought up for this and stopped.
A second run over the same data posts nothing and says so.

Examples:
  sluice replay bank bank-1993.csv.gz
  sluice replay bank bank-1993.csv.gz --data /tmp/replay
  sluice replay bank bank-1993.csv.gz --target 10.0.0.5:7400
  sluice replay bank bank-1993.csv.gz --target distributed`,
    )
    .action(async (file: string, _options: unknown, command: Command) => {
      if (!existsSync(file)) throw new PlainFailure(`there is no file ${file}`, EXIT.usage);
      const options = command.optsWithGlobals<ReplayOptions>();
      const output = new Output(surroundings.terminal, options.json === true);
      const { client, end } = await destination(options, surroundings, output);
      try {
        surroundings.exit(await replay(file, client, output));
      } finally {
        client.close();
        await end();
      }
    });
}

async function replay(file: string, client: SluiceClient, output: Output): Promise<ExitCode> {
  try {
    const report = await replayBank({ file, client, observer: observerOf(output) });
    const { lines, exitCode } = summarizeReplay(report);
    if (output.json) output.object(report);
    else for (const line of lines) output.line(line);
    return exitCode;
  } catch (error) {
    if (error instanceof MalformedFileError) throw new PlainFailure(error.message, EXIT.refused);
    throw error;
  }
}

function observerOf(output: Output): ReplayObserver {
  let bar: ProgressBar | undefined;
  return {
    step: (name, total) => {
      bar = total === undefined ? undefined : output.progress(name, total);
    },
    progress: (done) => bar?.at(done),
    stepDone: () => bar?.end(),
  };
}

async function destination(options: ReplayOptions, surroundings: Surroundings, output: Output): Promise<Destination> {
  const { environment } = surroundings;
  const nothingToEnd = async (): Promise<void> => undefined;
  if (options.target === DISTRIBUTED) return distributedDestination(join(chosenFolder(options.data, environment).folder, DISTRIBUTED), output);
  if (options.target !== undefined || (environment['SLUICE_TARGET'] ?? '') !== '') return { client: clientOf(options, environment), end: nothingToEnd };
  if (options.data === undefined && (await isServing(DEFAULT_TARGET))) {
    output.message(`replaying to the server on ${DEFAULT_TARGET}`);
    return { client: clientOf(options, environment), end: nothingToEnd };
  }
  const { folder } = chosenFolder(options.data, environment);
  output.message(`replaying to an embedded server on ${folder}`);
  const server = await startEmbedded(configurationFor(environment, { dataDir: folder, port: 0 }));
  return { client: new SluiceClient({ target: server.address }), end: () => server.stop() };
}

async function distributedDestination(dataDir: string, output: Output): Promise<Destination> {
  // Only here: everybody else need not wait for the drivers.
  const { startDistributed } = await workspaceTool('@sluice/distributed', () => import('@sluice/distributed'));
  const distributed = await startDistributed({
    dataDir,
    progress: (line) => output.message(line),
    environment: { SLUICE_LOG_LEVEL: 'error' },
    onLine: (name, line) => output.message(`${name} | ${line}`),
  });
  const [target, queryTarget, projectorTarget] = (['command', 'query', 'projector'] as const).map((service) => distributed.of(service)[0]?.address);
  output.message(`replaying to services as processes of their own, on ${distributed.mongodb.describe} and ${distributed.nats.describe}`);
  return { client: new SluiceClient({ target, queryTarget, projectorTarget }), end: () => distributed.stop() };
}

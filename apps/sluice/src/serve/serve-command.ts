/** `sluice serve`: all four services in one process, until Ctrl-C. */
import { systemClock } from '@sluice/ports';
import type { Configuration } from '@sluice/service';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import type { Surroundings } from '../connection';
import { VERSION } from '../version';
import { configurationFor } from './configuration';
import { LiveLine } from './live-line';
import { startText, type StartedServer } from './start-text';

interface ServeOptions {
  readonly host?: string;
  readonly port?: number;
  readonly data?: string;
  readonly insecure?: boolean;
  readonly newLog?: boolean;
}

export function addServeCommand(program: Command, surroundings: Surroundings): void {
  program
    .command('serve')
    .description('run all services in this process, with data in a folder')
    .option('--host <address>', 'address to listen on (SLUICE_HOST; default 127.0.0.1)')
    .option('--port <port>', 'port to listen on, 0: any (SLUICE_PORT; default 7400)', wholeNumber)
    .option('--data <folder>', 'data folder (SLUICE_DATA_DIR; default .sluice)')
    .option('--insecure', 'listen beyond this machine in plain text (SLUICE_INSECURE)')
    .option('--new-log', 'the event log of the folder is lost for good: begin a new one, with no accounts')
    .addHelpText(
      'after',
      '\nEverything else is configured by SLUICE_ variables and a file: docs/configuration.md.\n\nExamples:\n  sluice serve\n  sluice serve --port 0 --data /tmp/try',
    )
    .action(async ({ host, port, data, insecure, newLog }: ServeOptions) => {
      await serve(configurationFor(surroundings.environment, { host, port, dataDir: data, insecure }), surroundings, newLog === true);
    });
}

async function serve(configuration: Configuration, { terminal, interrupted }: Surroundings, newLog: boolean): Promise<void> {
  // What the services consist of is loaded only by who runs them: the other commands begin sooner.
  const { startEmbedded } = await import('./embedded.js');
  const server = await startEmbedded(configuration, { newLog });
  const { address, folder, partitions } = server;
  const { tlsCert, tlsCa, tlsClientCert, authFile, authJwks } = configuration;
  const started: StartedServer = {
    address,
    folder,
    partitions,
    version: VERSION,
    tls: tlsCert !== undefined,
    clientCertificates: tlsCa !== undefined && tlsClientCert === 'required',
    tokens: authFile !== undefined || authJwks !== undefined,
  };
  terminal.results.write(startText(started));
  const line = new LiveLine(terminal.results, () => server.figures(), systemClock);
  line.start();
  try {
    await aborted(interrupted);
  } finally {
    line.stop();
    terminal.results.write('stopping: finishing what was taken …\n');
    await server.stop();
    terminal.results.write('stopped\n');
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}

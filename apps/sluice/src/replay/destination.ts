/** Where a replay goes to, and what is to be ended afterwards. */
import { join } from 'node:path';
import { DEFAULT_TARGET, SluiceClient } from '@sluice/client';
import type { KillableService } from '@sluice/replay';
import { clientOf, type ConnectionOptions, type Surroundings } from '../connection';
import { chosenFolder, type DataFiles } from '../data-folder';
import { EXIT, PlainFailure } from '../exit-code';
import type { Output } from '../output';
import { configurationFor } from '../serve/configuration';
import { isServing } from '../serve/probe';
import { workspaceTool } from '../workspace-tool';
import { type OpenedReadStore, openMongoReadStore, openSqliteReadStore } from './opened-read-store';
import { ServedChild } from './served-child';

/** Says as target: bring up every service as processes of their own, with the servers they need, and stop them afterwards. */
const DISTRIBUTED = 'distributed';
/** Every spoilt total is an error in the log of the command service; the replay tells of each that was not found. */
const LEVEL_OF_TAMPERED = 'fatal';

export interface DestinationOptions extends ConnectionOptions {
  readonly data?: string;
}

export interface Destination {
  readonly client: SluiceClient;
  /** Command services that were started for this replay; undefined: the server is somebody else's. */
  readonly commandTargets: readonly string[] | undefined;
  /** A command service that may be killed; undefined: there is none. */
  readonly killable: KillableService | undefined;
  /** Undefined: the server is somebody else's. What is opened is closed before the end. */
  readonly openReadStore: (() => Promise<OpenedReadStore>) | undefined;
  readonly end: () => Promise<void>;
}

export const DESTINATION_HELP = `
Without --target and --data: a server on ${DEFAULT_TARGET}, else an embedded one on the default data folder.
With --target distributed: every service as processes of their own, on NATS and MongoDB, brought up for this and stopped.`;

/**
 * What a replay does to the server on the way, beside calling it: the server must be one that is started for it. `chaos` kills the command service,
 * `tamper` writes to the read store.
 */
export type Intrusion = 'chaos' | 'tamper';

const INTRUDES: Readonly<Record<Intrusion, string>> = { chaos: 'kills the server', tamper: 'changes the read store' };

export async function openDestination(options: DestinationOptions, surroundings: Surroundings, output: Output, intrusion?: Intrusion): Promise<Destination> {
  const { environment } = surroundings;
  const files = chosenFolder(options.data, environment);
  const { folder } = files;
  if (options.target === DISTRIBUTED) return distributed(join(folder, DISTRIBUTED), output, intrusion);
  const isNamed = options.target !== undefined || (environment['SLUICE_TARGET'] ?? '') !== '';
  if (intrusion !== undefined && isNamed) {
    const why = `--${intrusion} ${INTRUDES[intrusion]}: it takes --target distributed or --data FOLDER, not a server of others`;
    throw new PlainFailure(why, EXIT.usage);
  }
  if (intrusion === 'chaos') return embeddedChild(files, environment, output);
  if (isNamed) return ofOthers(options, surroundings);
  if (intrusion === undefined && options.data === undefined && (await isServing(DEFAULT_TARGET))) {
    output.message(`replaying to the server on ${DEFAULT_TARGET}`);
    return ofOthers(options, surroundings);
  }
  output.message(`replaying to an embedded server on ${folder}`);
  const quiet = intrusion === 'tamper' ? ({ logLevel: LEVEL_OF_TAMPERED } as const) : undefined;
  const { startEmbedded } = await import('../serve/embedded.js');
  const server = await startEmbedded(configurationFor(environment, { dataDir: folder, port: 0, ...quiet }));
  return {
    client: new SluiceClient({ target: server.address }),
    commandTargets: [server.address],
    killable: undefined,
    openReadStore: () => openSqliteReadStore(files.read),
    end: () => server.stop(),
  };
}

function ofOthers(options: DestinationOptions, { environment }: Surroundings): Destination {
  return { client: clientOf(options, environment), commandTargets: undefined, killable: undefined, openReadStore: undefined, end: async () => undefined };
}

async function embeddedChild({ folder, read }: DataFiles, environment: NodeJS.ProcessEnv, output: Output): Promise<Destination> {
  output.message(`replaying to an embedded server on ${folder}, a process of its own`);
  const server = new ServedChild(folder, environment);
  await server.start();
  const { address } = server;
  return {
    client: new SluiceClient({ target: address }),
    commandTargets: [address],
    killable: server,
    openReadStore: () => openSqliteReadStore(read),
    end: () => server.stop(),
  };
}

async function distributed(dataDir: string, output: Output, intrusion: Intrusion | undefined): Promise<Destination> {
  // Only here: everybody else need not wait for the drivers.
  const { startDistributed } = await workspaceTool('@sluice/distributed', () => import('@sluice/distributed'));
  const started = await startDistributed({
    dataDir,
    progress: (line) => output.message(line),
    environment: { SLUICE_LOG_LEVEL: intrusion === 'tamper' ? LEVEL_OF_TAMPERED : 'error' },
    onLine: (name, line) => output.message(`${name} | ${line}`),
  });
  const [target, queryTarget, projectorTarget] = (['command', 'query', 'projector'] as const).map((service) => started.of(service)[0]?.address);
  output.message(`replaying to services as processes of their own, on ${started.mongodb.describe} and ${started.nats.describe}`);
  const [first] = started.of('command');
  const killable = first && {
    kill: () => first.kill(),
    start: async () => {
      await first.start();
      await first.untilServing();
    },
  };
  return {
    client: new SluiceClient({ target, queryTarget, projectorTarget }),
    commandTargets: started.of('command').map(({ address }) => address),
    killable,
    openReadStore: () => openMongoReadStore(started.readUrl),
    end: () => started.stop(),
  };
}

/** Where a replay goes to, and what is to be ended afterwards. */
import { join } from 'node:path';
import { DEFAULT_TARGET, SluiceClient } from '@sluice/client';
import type { KillableService } from '@sluice/replay';
import { clientOf, type ConnectionOptions, type Surroundings } from '../connection';
import { chosenFolder } from '../data-folder';
import { EXIT, PlainFailure } from '../exit-code';
import type { Output } from '../output';
import { configurationFor } from '../serve/configuration';
import { startEmbedded } from '../serve/embedded';
import { isServing } from '../serve/probe';
import { workspaceTool } from '../workspace-tool';
import { ServedChild } from './served-child';

/** Says as target: bring up every service as processes of their own, with the servers they need, and stop them afterwards. */
const DISTRIBUTED = 'distributed';

export interface DestinationOptions extends ConnectionOptions {
  readonly data?: string;
}

export interface Destination {
  readonly client: SluiceClient;
  /** Command services that were started for this replay; undefined: the server is somebody else's. */
  readonly commandTargets: readonly string[] | undefined;
  /** A command service that may be killed; undefined: there is none. */
  readonly killable: KillableService | undefined;
  readonly end: () => Promise<void>;
}

export const DESTINATION_HELP = `
Without --target and --data: a server on ${DEFAULT_TARGET}, else an embedded one on the default data folder.
With --target distributed: every service as processes of their own, on NATS and MongoDB, brought up for this and stopped.`;

/** @param killed the replay kills the command service on the way: it must be one that is started for it. */
export async function openDestination(options: DestinationOptions, surroundings: Surroundings, output: Output, killed = false): Promise<Destination> {
  const { environment } = surroundings;
  const { folder } = chosenFolder(options.data, environment);
  if (options.target === DISTRIBUTED) return distributed(join(folder, DISTRIBUTED), output);
  const isNamed = options.target !== undefined || (environment['SLUICE_TARGET'] ?? '') !== '';
  if (killed) {
    if (isNamed) throw new PlainFailure('--chaos kills the server: it takes --target distributed or --data FOLDER, not a server of others', EXIT.usage);
    return embeddedChild(folder, environment, output);
  }
  if (isNamed) return ofOthers(options, surroundings);
  if (options.data === undefined && (await isServing(DEFAULT_TARGET))) {
    output.message(`replaying to the server on ${DEFAULT_TARGET}`);
    return ofOthers(options, surroundings);
  }
  output.message(`replaying to an embedded server on ${folder}`);
  const server = await startEmbedded(configurationFor(environment, { dataDir: folder, port: 0 }));
  return { client: new SluiceClient({ target: server.address }), commandTargets: [server.address], killable: undefined, end: () => server.stop() };
}

function ofOthers(options: DestinationOptions, { environment }: Surroundings): Destination {
  return { client: clientOf(options, environment), commandTargets: undefined, killable: undefined, end: async () => undefined };
}

async function embeddedChild(folder: string, environment: NodeJS.ProcessEnv, output: Output): Promise<Destination> {
  output.message(`replaying to an embedded server on ${folder}, a process of its own`);
  const server = new ServedChild(folder, environment);
  await server.start();
  const { address } = server;
  return { client: new SluiceClient({ target: address }), commandTargets: [address], killable: server, end: () => server.stop() };
}

async function distributed(dataDir: string, output: Output): Promise<Destination> {
  // Only here: everybody else need not wait for the drivers.
  const { startDistributed } = await workspaceTool('@sluice/distributed', () => import('@sluice/distributed'));
  const started = await startDistributed({
    dataDir,
    progress: (line) => output.message(line),
    environment: { SLUICE_LOG_LEVEL: 'error' },
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
    end: () => started.stop(),
  };
}

/**
 * Sluice as separate processes on MongoDB and JetStream: some owners of partitions, one projector, one query.
 */
import type { Bench, Target } from '../bench';
import type { ServerUnderTest } from './server-under-test';

const COMMAND = ['apps/command/dist/main.js'] as const;
const PROJECTOR = ['apps/projector/dist/main.js'] as const;
const QUERY = ['apps/query/dist/main.js'] as const;
const SCHEDULER = ['apps/scheduler/dist/main.js'] as const;

/** How long owners may take to share out the partitions. */
const SETTLE_TIMEOUT_MS = 30_000;
const SETTLE_POLL_MS = 200;

export interface DeploymentOptions {
  /** Names its database, streams and leases. */
  readonly name: string;
  readonly mongoUrl: string;
  readonly natsUrl: string;
  readonly partitions: number;
  /** Command processes. */
  readonly owners: number;
  /** Default: none. */
  readonly scheduler?: boolean;
}

export interface Deployment extends Target {
  readonly commands: readonly ServerUnderTest[];
  /** From the start of the first process until all of them served. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

/** Resolves when all processes serve and an account could be opened in every partition. */
export async function startDeployment(bench: Bench, options: DeploymentOptions, accountIds: readonly string[]): Promise<Deployment> {
  const { name, mongoUrl, natsUrl, partitions, owners, scheduler = false } = options;
  bench.progress.step(`starting ${owners} owners, a projector and a query`);
  const environment = {
    SLUICE_MONGODB_URL: withDatabase(mongoUrl, name),
    SLUICE_NATS_URL: natsUrl,
    SLUICE_DEPLOYMENT: name,
    SLUICE_SERVERS: '1',
    SLUICE_CONTAINERS: String(partitions),
    SLUICE_KEYRING_SECRET: 'a secret of the bench and of nothing else',
    SLUICE_METRICS_PORT: 'off',
  };
  const started = performance.now();
  const commands = await Promise.all(Array.from({ length: owners }, () => bench.startServer(COMMAND, environment)));
  const [projector, query] = await Promise.all([bench.startServer(PROJECTOR, environment), bench.startServer(QUERY, environment)]);
  const schedulers = scheduler ? [await bench.startServer(SCHEDULER, environment)] : [];
  const readyMs = performance.now() - started;
  const addresses = commands.map(({ address }) => address);
  const control = bench.controlOf(addresses[0] as string, query.address, projector.address);
  await settle(() => control.openAccounts(accountIds.map((accountId) => ({ accountId }))));
  return {
    name,
    addresses,
    control,
    acknowledged: 0,
    commands,
    readyMs,
    stop: async () => {
      for (const server of [...schedulers, query, projector, ...commands]) await server.stop();
    },
  };
}

/** Until every partition has its owner, commands are refused: opening is tried again, with the same request ids. */
async function settle(attempt: () => Promise<void>): Promise<void> {
  for (const started = Date.now(); ; ) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() - started > SETTLE_TIMEOUT_MS) throw error;
      await new Promise((resolve) => setTimeout(resolve, SETTLE_POLL_MS));
    }
  }
}

/** The same server, another database. */
export function withDatabase(url: string, database: string): string {
  return url.replace(
    /^(mongodb(?:\+srv)?:\/\/[^/?]+)(?:\/[^?]*)?(\?.*)?$/,
    (_all, server: string, options: string | undefined) => `${server}/${database}${options ?? ''}`,
  );
}

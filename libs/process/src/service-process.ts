/**
 * The life of a service that is a process of its own. It listens at once and says by its health that it does not serve; it
 * waits for the servers that it needs; then it serves until it is asked to stop.
 *
 *   starting ──► listening (NOT_SERVING) ──what it needs is open──► serving ──asked to stop──► stopping ──► exit 0
 *      │              │
 *      │              ├── something that waiting does not mend: one line, exit 78 or 1
 *      └── 78         └── asked to stop: exit 0
 *
 * Stopping: callers are refused; what the process owns is handed over while calls in flight are finished; then what waits is
 * flushed and closed, in the reverse order of opening.
 */
import { randomUUID } from 'node:crypto';
import type { ServiceDefinition } from '@grpc/grpc-js';
import { systemClock } from '@sluice/ports';
import { type Configuration, loadConfiguration, OpenedParts, openSecurity, openServer, serverOptionsOf, type ServiceRegistration } from '@sluice/service';
import { createLogger, type Logger, startTelemetry, type Telemetry } from '@sluice/telemetry';
import { reportListening } from './listening-report';
import { Opening } from './opening';
import { exitCodeOf } from './start-failure';
import { stopRequest } from './stop-request';

const DEFAULT_METRICS_PORT = 9464;
const FAULT_EXIT_CODE = 1;
/** Beyond the time for calls in flight: how long handing over and closing may take. Then the fence in the log has to do. */
const CLOSING_LIMIT_MS = 20_000;

export interface ServiceProcess {
  /** "command", "projector", … */
  readonly service: string;
  /** Port where nothing is configured. */
  readonly port: number;
  /** What it will serve: refused with STARTING until it does. */
  readonly definitions: readonly ServiceDefinition[];
  /** Opens what the services need. Every part is handed to `opening.keep`. */
  open(opening: Opening): Promise<readonly ServiceRegistration[]>;
}

export async function runServiceProcess(definition: ServiceProcess): Promise<void> {
  const name = `sluice-${definition.service}`;
  let logger = createLogger({ service: name });
  const crash = (error: unknown): never => {
    logger.fatal({ error }, 'a fault of the program: the process ends, the fence in the log keeps the data whole');
    process.exit(FAULT_EXIT_CODE);
  };
  process.on('uncaughtException', crash);
  process.on('unhandledRejection', crash);
  const stopping = stopRequest();
  try {
    const configuration = loadConfiguration(process.env);
    logger = createLogger({ service: name, level: configuration.logLevel });
    await live(definition, name, configuration, logger, stopping);
    process.exit(0);
  } catch (error) {
    if (stopping.aborted) logger.error({ error }, 'stopped, but not as it should');
    else logger.fatal((error as Error).message);
    process.exit(exitCodeOf(error));
  }
}

async function live(definition: ServiceProcess, name: string, configuration: Configuration, logger: Logger, stopping: AbortSignal): Promise<void> {
  const instanceId = configuration.instanceId ?? `${definition.service}-${randomUUID()}`;
  const parts = new OpenedParts();
  const telemetry = parts.add(await startTelemetry({ service: name, instanceId, ...metricsEndpoint(configuration) }), (started) => started.stop());
  const services = definition.definitions.map((service) => ({ name: nameOf(service), definition: service }));
  const security = parts.add(await openSecurity(configuration, systemClock, logger), async (opened) => opened.close());
  const options = { ...serverOptionsOf(configuration, definition.port), ...security.server, logger, metrics: telemetry.metrics };
  const server = await openServer(options, services);
  const address = configuration.advertisedAddress ?? server.address;
  const opening = new Opening({ configuration, instanceId, address, peer: security.peer, logger, telemetry, stopping, parts });
  announce(server.address, instanceId, telemetry, logger);

  const close = async (): Promise<void> => {
    await server.stop(configuration.shutdownGraceMs, () => opening.handOver());
    await parts.close();
  };
  try {
    const opened = await unlessAborted(definition.open(opening), stopping);
    if (opened !== undefined) {
      server.begin(opened);
      opening.readiness.follow((ready) => server.setServing(ready));
      logger.info({ address: server.address }, 'serving');
      await aborted(stopping);
    }
  } catch (error) {
    // What went wrong is told by who called; that closing what was opened went wrong too would hide it.
    await withinLimit(close(), configuration).catch(() => undefined);
    throw error;
  }
  logger.info(`stopping: ${stopping.reason}`);
  await withinLimit(close(), configuration);
  logger.info('stopped');
}

function announce(address: string, instanceId: string, telemetry: Telemetry, logger: Logger): void {
  const { metricsUrl } = telemetry;
  logger.info({ address, instanceId, metricsUrl, tracing: telemetry.tracing }, 'listening');
  reportListening({ address, metricsUrl });
}

function metricsEndpoint({ metricsPort = DEFAULT_METRICS_PORT, metricsHost }: Configuration): { metricsPort?: number; metricsHost: string } {
  return metricsPort === 'off' ? { metricsHost } : { metricsPort, metricsHost };
}

/** "sluice.account.v1.AccountCommandService", as it stands in the paths of its methods. */
function nameOf(service: ServiceDefinition): string {
  const [first] = Object.values(service);
  return first?.path.split('/')[1] ?? '';
}

function aborted(signal: AbortSignal): Promise<undefined> {
  if (signal.aborted) return Promise.resolve(undefined);
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(undefined), { once: true }));
}

/** Undefined: the process was asked to stop before; what the work still does or throws then is nobody's concern. */
function unlessAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result | undefined> {
  const told = work.catch((error: unknown) => {
    if (!signal.aborted) throw error;
    return undefined;
  });
  return Promise.race([told, aborted(signal)]);
}

async function withinLimit(closing: Promise<void>, { shutdownGraceMs }: Configuration): Promise<void> {
  const limitMs = shutdownGraceMs + CLOSING_LIMIT_MS;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`closing took more than ${limitMs / 1_000} s`)), limitMs);
  });
  await Promise.race([closing, late]).finally(() => clearTimeout(timer));
}

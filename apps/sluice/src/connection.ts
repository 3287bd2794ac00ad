/** The options that every command has which talks to a server, and the client that they make. */
import { readFileSync } from 'node:fs';
import { DEFAULT_TARGET, SluiceClient } from '@sluice/client';
import type { Command } from 'commander';
import { type ExitCode, UsageError } from './exit-code';
import { Output, type Terminal } from './output';
import { wholeNumber } from './argument';

export interface ConnectionOptions {
  readonly target?: string;
  readonly queryTarget?: string;
  readonly projectorTarget?: string;
  readonly schedulerTarget?: string;
  readonly token?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly tls?: boolean;
  readonly deadline?: number;
  readonly json?: boolean;
}

export function addConnectionOptions(program: Command): Command {
  return program
    .option('--target <host:port>', `the server (environment: SLUICE_TARGET; default ${DEFAULT_TARGET})`)
    .option('--query-target <host:port>', 'the query service, where it runs apart')
    .option('--projector-target <host:port>', 'the projector, where it runs apart')
    .option('--scheduler-target <host:port>', 'the scheduler, where it runs apart')
    .option('--token <token>', 'bearer token (SLUICE_TOKEN)')
    .option('--tls', 'encrypt the connection, believe the usual authorities')
    .option('--tls-ca <file>', 'encrypt, believe these authorities (PEM; SLUICE_TARGET_CA)')
    .option('--tls-cert <file>', 'certificate of this client (PEM), for mutual TLS')
    .option('--tls-key <file>', 'key of this client (PEM), for mutual TLS')
    .option('--deadline <milliseconds>', 'give up after so long', wholeNumber)
    .option('--json', 'one JSON object per line, for machines');
}

export function clientOf(options: ConnectionOptions, environment: NodeJS.ProcessEnv): SluiceClient {
  const authorities = options.tlsCa ?? given(environment['SLUICE_TARGET_CA']);
  const encrypted = options.tls === true || authorities !== undefined || options.tlsCert !== undefined;
  if ((options.tlsCert === undefined) !== (options.tlsKey === undefined)) throw new UsageError('--tls-cert and --tls-key belong together');
  checkedAddress(options.target === undefined ? 'SLUICE_TARGET' : '--target', targetOf(options, environment));
  checkedAddress('--query-target', options.queryTarget);
  checkedAddress('--projector-target', options.projectorTarget);
  checkedAddress('--scheduler-target', options.schedulerTarget);
  return new SluiceClient({
    target: targetOf(options, environment),
    queryTarget: options.queryTarget,
    projectorTarget: options.projectorTarget,
    schedulerTarget: options.schedulerTarget,
    token: options.token ?? given(environment['SLUICE_TOKEN']),
    deadlineMs: options.deadline,
    tls: encrypted ? { rootCertificates: pem(authorities), certificateChain: pem(options.tlsCert), privateKey: pem(options.tlsKey) } : undefined,
  });
}

export function targetOf(options: ConnectionOptions, environment: NodeJS.ProcessEnv): string {
  return options.target ?? given(environment['SLUICE_TARGET']) ?? DEFAULT_TARGET;
}

/** Throws a UsageError where it is not HOST:PORT, which gRPC would try to reach somewhere else until the deadline. */
function checkedAddress(from: string, text: string | undefined): void {
  if (text === undefined) return;
  const [, port] = /^(?:\[[^\]]+\]|[^:/\s]+):(\d+)$/.exec(text) ?? [];
  if (port === undefined || Number(port) < 1 || Number(port) > 65_535) throw new UsageError(`${from} is HOST:PORT, like ${DEFAULT_TARGET}, not "${text}"`);
}

/** An empty variable is how an environment says "not set". */
function given(variable: string | undefined): string | undefined {
  return variable === '' ? undefined : variable;
}

function pem(file: string | undefined): Buffer | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file);
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${(error as Error).message}`);
  }
}

/** What a command needs of the world; a test gives its own. */
export interface Surroundings {
  readonly terminal: Terminal;
  readonly environment: NodeJS.ProcessEnv;
  /** Aborted when the user wants to stop (Ctrl-C). */
  readonly interrupted: AbortSignal;
  /** Asks the user; undefined: nobody can be asked. */
  readonly ask: ((question: string) => Promise<string>) | undefined;
  /** The exit code of the command that ran. */
  readonly exit: (code: ExitCode) => void;
}

/** Runs a command's work with a client and closes it, whatever happens. */
export async function withClient(
  command: Command,
  surroundings: Surroundings,
  work: (client: SluiceClient, output: Output, options: ConnectionOptions) => Promise<ExitCode | undefined | void>,
): Promise<void> {
  const options = command.optsWithGlobals<ConnectionOptions>();
  const client = clientOf(options, surroundings.environment);
  try {
    const code = await work(client, new Output(surroundings.terminal, options.json === true), options);
    if (code !== undefined) surroundings.exit(code);
  } finally {
    client.close();
  }
}

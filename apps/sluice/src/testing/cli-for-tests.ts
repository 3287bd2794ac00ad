/** Runs command lines in this process, and servers as processes of their own, as users do. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { runCli } from '../cli';

export interface CliResult {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface CliWorld {
  readonly environment?: NodeJS.ProcessEnv;
  readonly interrupted?: AbortSignal;
  readonly ask?: (question: string) => Promise<string>;
  /** Sees every piece of output as it comes. */
  readonly seen?: (text: string) => void;
}

export async function cli(argv: readonly string[], world: CliWorld = {}): Promise<CliResult> {
  let out = '';
  let err = '';
  const code = await runCli(argv, {
    terminal: {
      results: {
        write: (text) => {
          out += text;
          world.seen?.(text);
        },
      },
      messages: { write: (text) => (err += text) },
    },
    environment: world.environment ?? {},
    interrupted: world.interrupted ?? new AbortController().signal,
    ask: world.ask,
  });
  return { code, out, err };
}

/** A question about what another command has just done: it is asked until the read store has it. */
export async function cliOnceProjected(argv: readonly string[], world: CliWorld = {}): Promise<CliResult> {
  for (;;) {
    const result = await cli(argv, world);
    if (!/\((ACCOUNT|TRANSFER|RESERVATION|RESERVATION_RESOURCE|BRANCH|PRODUCT)_NOT_FOUND\)|\(READ_BEHIND\)/.test(result.err)) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** `--json` output, a value per line. */
export function jsonLines(out: string): unknown[] {
  return out
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as unknown);
}

/** Where grpcurl is, if not on the PATH: where Go puts it, or where the tests of the server kit have put it. */
export function grpcurlFolder(): string | undefined {
  const goPath = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout?.trim();
  const cache = join(__dirname, '..', '..', '..', '..', 'node_modules', '.cache', 'sluice', 'bin');
  const onPath = (process.env['PATH'] ?? '').split(delimiter);
  return [...onPath, cache, ...(goPath ? [join(goPath, 'bin')] : [])].find((place) => existsSync(join(place, 'grpcurl')));
}

/** The environment, with grpcurl on its PATH. */
export function withGrpcurl(): NodeJS.ProcessEnv {
  return { ...process.env, PATH: [grpcurlFolder(), process.env['PATH']].join(delimiter) };
}

const MAIN = join(__dirname, '..', '..', 'dist', 'main.js');

/** `sluice serve` as built, in its own process. */
export class ServedSluice {
  readonly #child: ChildProcess;
  #output = '';
  #changed: () => void = () => undefined;

  private constructor(environment: NodeJS.ProcessEnv, port: number) {
    this.#child = spawn(process.execPath, [MAIN, 'serve', '--port', String(port)], {
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const keep = (chunk: Buffer): void => {
      this.#output += chunk.toString('utf8');
      this.#changed();
    };
    this.#child.stdout?.on('data', keep);
    this.#child.stderr?.on('data', keep);
    this.#child.on('exit', () => this.#changed());
  }

  /** Resolves when it serves; rejects with what it said when it ends before. */
  static async start(environment: NodeJS.ProcessEnv, port = 0): Promise<ServedSluice> {
    const served = new ServedSluice(environment, port);
    await served.#until(() => served.#output.includes('Ctrl-C stops it.'));
    return served;
  }

  /** Starts one that is not expected to serve; resolves with its exit code and everything it said. */
  static async fail(environment: NodeJS.ProcessEnv): Promise<{ code: number | null; output: string }> {
    const served = new ServedSluice(environment, 0);
    const [code] = (await once(served.#child, 'close')) as [number | null];
    return { code, output: served.#output };
  }

  get output(): string {
    return this.#output;
  }

  get address(): string {
    return / address {2,}(\S+)/.exec(this.#output)?.[1] ?? '';
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Resolves with the exit code. */
  async end(signal: NodeJS.Signals): Promise<number | null> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return this.#child.exitCode;
    const ended = once(this.#child, 'close') as Promise<[number | null]>;
    this.#child.kill(signal);
    return (await ended)[0];
  }

  async #until(condition: () => boolean): Promise<void> {
    while (!condition()) {
      if (this.#child.exitCode !== null) throw new Error(`the server ended with ${this.#child.exitCode}: ${this.#output}`);
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
  }
}

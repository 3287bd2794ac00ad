/**
 * A process of the product under test, as anybody starts it: `sluice serve`, or one of the services by itself.
 */
import * as grpc from '@grpc/grpc-js';
import { healthpb } from '@sluice/protocol';
import { spawn, type ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../machine/free-port';
import { peakRssBytes, rssBytes } from '../machine/peak-memory';

const READY_TIMEOUT_MS = 120_000;
const READY_POLL_MS = 10;
const STOP_TIMEOUT_MS = 30_000;
/** What a server says is kept, the newest so many characters, to be shown if it dies. */
const KEPT_OUTPUT = 8_000;

/** What is started: the program's path in the workspace, and its arguments. */
export const EMBEDDED = ['apps/sluice/dist/main.js', 'serve'] as const;
export type Program = readonly [entry: string, ...args: string[]];

/** Connecting is tried again this often, because the time until SERVING is one of the figures. */
const RECONNECT = { 'grpc.initial_reconnect_backoff_ms': READY_POLL_MS, 'grpc.max_reconnect_backoff_ms': READY_POLL_MS };

export interface ServerOptions {
  readonly program: Program;
  /** SLUICE_* variables beside the port. */
  readonly environment: Readonly<Record<string, string>>;
  /** Write CPU profiles of all its threads there. */
  readonly profileFolder?: string | undefined;
  /** Told of the process as soon as there is one. */
  readonly adopt: (child: ChildProcess) => void;
}

export class ServerUnderTest {
  #output = '';

  private constructor(
    private readonly child: ChildProcess,
    readonly address: string,
    private readonly startedAt: number,
  ) {
    const keep = (chunk: Buffer): void => {
      this.#output = (this.#output + chunk.toString('utf8')).slice(-KEPT_OUTPUT);
    };
    child.stdout?.on('data', keep);
    child.stderr?.on('data', keep);
  }

  /** Milliseconds from the start of the process until its health service said SERVING. */
  readyMs = 0;

  static async start({ program, environment, profileFolder, adopt }: ServerOptions): Promise<ServerUnderTest> {
    const port = await freePort();
    const profile = profileFolder === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${profileFolder}`];
    const startedAt = performance.now();
    const child = spawn(process.execPath, [...profile, builtProgram(program[0]), ...program.slice(1)], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Only what a process needs, so that settings of the caller's shell do not change what is measured.
      env: { PATH: process.env['PATH'], HOME: process.env['HOME'], SLUICE_PORT: String(port), ...environment },
    });
    adopt(child);
    const server = new ServerUnderTest(child, `127.0.0.1:${port}`, startedAt);
    try {
      await server.#untilServing();
    } catch (error) {
      await server.kill();
      throw error;
    }
    server.readyMs = performance.now() - startedAt;
    return server;
  }

  /** Milliseconds since its process was started. */
  get ageMs(): number {
    return performance.now() - this.startedAt;
  }

  get pid(): number | undefined {
    return this.child.pid;
  }

  /** The memory that it has resident now; null where the system does not say. */
  rssBytes(): number | null {
    return (this.child.pid === undefined ? undefined : rssBytes(this.child.pid)) ?? null;
  }

  /** The most memory it ever had resident; undefined where the system does not say, or it has ended. */
  peakRssBytes(): number | undefined {
    return this.child.pid === undefined ? undefined : peakRssBytes(this.child.pid);
  }

  /** How it ended and what it said last; undefined while it runs. */
  get obituary(): string | undefined {
    return this.#ended ? `the server ended with ${this.child.signalCode ?? this.child.exitCode}. It said:\n${this.#output}` : undefined;
  }

  /** As an operator stops it. */
  async stop(): Promise<void> {
    await this.#end('SIGTERM');
  }

  /** As a power cut does. */
  async kill(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
    this.child.kill(signal);
    const impatience = setTimeout(() => this.child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    await exited;
    clearTimeout(impatience);
  }

  get #ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  async #untilServing(): Promise<void> {
    const health = new healthpb.HealthClient(this.address, grpc.credentials.createInsecure(), RECONNECT);
    try {
      while (!(await isServing(health))) {
        if (this.obituary !== undefined) throw new Error(`While it started, ${this.obituary}`);
        if (this.ageMs > READY_TIMEOUT_MS) throw new Error(`The server was not SERVING after ${READY_TIMEOUT_MS / 1000} s. It said:\n${this.#output}`);
        await new Promise((resolve) => setTimeout(resolve, READY_POLL_MS));
      }
    } finally {
      health.close();
    }
  }
}

function isServing(health: healthpb.HealthClient): Promise<boolean> {
  return new Promise((resolve) => {
    health.waitForReady(Date.now() + 1_000, (unreachable) => {
      if (unreachable) return resolve(false);
      health.check({ service: '' }, (error, response) => {
        resolve(error === null && response.status === healthpb.HealthCheckResponse_ServingStatus.SERVING);
      });
    });
  });
}

function builtProgram(entry: string): string {
  const path = join(__dirname, '../../../..', entry);
  if (!existsSync(path)) throw new Error(`There is no program to measure at ${path}: run "npm run build" first.`);
  return path;
}

/**
 * One instance of a service as a child process of ours.
 *
 *   state     start    serving     stop      kill      ends by itself
 *   STOPPED   RUNNING  -           STOPPED   STOPPED   -
 *   RUNNING   error    (waited)    STOPPED   STOPPED   STOPPED, told
 *
 * It runs in a process group of its own, so that Ctrl-C at a terminal reaches only us and everything is stopped in order; when we
 * are gone it stops by itself, because the IPC channel ends; a paused one goes on first. Its port stays the same over restarts.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type ChannelCredentials, credentials } from '@grpc/grpc-js';
import { LISTENING, type ListeningReport } from '@sluice/process';
import { healthpb } from '@sluice/protocol';
import type { ServiceName } from './service-name';

const LISTENING_LIMIT_MS = 120_000;
const SERVING_LIMIT_MS = 180_000;
const SERVING_POLL_MS = 25;
/** Beyond the time that the process gives itself. */
const STOP_LIMIT_MS = 60_000;
/** Lines that are kept for the error of a start that failed. */
const KEPT_LINES = 20;

export interface ServiceChildOptions {
  readonly service: ServiceName;
  /** Like "command-1": its name in leases, logs and traces. */
  readonly name: string;
  /** 0: any free one. */
  readonly port: number;
  readonly environment: Readonly<Record<string, string>>;
  /** How its health is asked for; undefined: in plain text. */
  readonly credentials?: ChannelCredentials | undefined;
  /** Every line of its output. */
  readonly onLine: (name: string, line: string) => void;
  /** It ended without being asked to. */
  readonly onDeath: (child: ServiceChild, how: string) => void;
}

export class ServiceChild {
  readonly service: ServiceName;
  readonly name: string;
  private child: ChildProcess | undefined;
  private port: number;
  private report: ListeningReport | undefined;
  private asked = false;
  private lines: string[] = [];

  constructor(private readonly options: ServiceChildOptions) {
    this.service = options.service;
    this.name = options.name;
    this.port = options.port;
  }

  /** HOST:PORT; the same over restarts. Throws before the first start. */
  get address(): string {
    if (this.report === undefined) throw new Error(`${this.name} was not started yet`);
    return this.report.address;
  }

  get metricsUrl(): string | undefined {
    return this.report?.metricsUrl;
  }

  /** Undefined: it does not run. */
  get pid(): number | undefined {
    return this.child?.pid;
  }

  /** Starts the process; resolves when it listens, which is before it serves. */
  async start(): Promise<void> {
    if (this.child !== undefined) throw new Error(`${this.name} is running already`);
    this.asked = false;
    this.lines = [];
    const child = spawn(process.execPath, [entryOf(this.service)], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      detached: true,
      env: { ...this.options.environment, SLUICE_PORT: String(this.port), SLUICE_INSTANCE_ID: this.name },
    });
    this.child = child;
    for (const output of [child.stdout, child.stderr]) if (output !== null) createInterface({ input: output }).on('line', (line) => this.said(line));
    // Not with its exit: what it said last may still be on its way.
    child.once('close', (code, signal) => this.ended(child, signal ?? `exit code ${code}`));
    this.report = await listening(child).catch((error: Error) => {
      throw new Error(`${this.name} did not start: ${error.message}\n${this.lines.join('\n')}`);
    });
    this.port = Number(/:(\d+)$/.exec(this.report.address)?.[1]);
  }

  /** Resolves when its health says SERVING. */
  async untilServing(limitMs = SERVING_LIMIT_MS): Promise<void> {
    const health = new healthpb.HealthClient(this.address, this.options.credentials ?? credentials.createInsecure(), {
      'grpc.initial_reconnect_backoff_ms': SERVING_POLL_MS,
      'grpc.max_reconnect_backoff_ms': SERVING_POLL_MS * 4,
    });
    const untilMs = Date.now() + limitMs;
    try {
      while (!(await isServing(health))) {
        if (this.child === undefined) throw new Error(`${this.name} ended before it served\n${this.lines.join('\n')}`);
        if (Date.now() > untilMs) throw new Error(`${this.name} does not serve after ${limitMs / 1000} s\n${this.lines.join('\n')}`);
        await new Promise((resolve) => setTimeout(resolve, SERVING_POLL_MS));
      }
    } finally {
      health.close();
    }
  }

  /** As an operator stops it; resolves when it is gone and everything that it said was told. */
  stop(): Promise<void> {
    return this.end('SIGTERM');
  }

  /** As a power cut does; resolves when it is gone. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** SIGSTOP pauses it, SIGCONT lets it go on. */
  signal(signal: NodeJS.Signals): void {
    const { child } = this;
    if (child === undefined) return;
    if (signal === 'SIGSTOP') letGoOnWithoutUs(child);
    child.kill(signal);
  }

  private async end(signal: NodeJS.Signals): Promise<void> {
    const { child } = this;
    if (child === undefined) return;
    this.asked = true;
    const gone = new Promise<void>((resolve) => child.once('close', () => resolve()));
    child.kill(signal);
    // A paused process hears SIGTERM only once it goes on.
    if (signal === 'SIGTERM') child.kill('SIGCONT');
    const insist = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(insist);
  }

  private said(line: string): void {
    this.lines.push(line);
    if (this.lines.length > KEPT_LINES) this.lines.shift();
    this.options.onLine(this.name, line);
  }

  private ended(child: ChildProcess, how: string): void {
    if (this.child !== child) return;
    this.child = undefined;
    if (!this.asked) this.options.onDeath(this, how);
  }
}

const paused = new Set<ChildProcess>();
let watchingExit = false;

/** A paused process would outlive us: it does not see that the IPC channel has ended. */
function letGoOnWithoutUs(child: ChildProcess): void {
  if (!watchingExit) process.once('exit', () => paused.forEach((each) => each.kill('SIGCONT')));
  watchingExit = true;
  if (paused.has(child)) return;
  paused.add(child);
  child.once('exit', () => paused.delete(child));
}

/** Resolves with what the process says once it listens. */
function listening(child: ChildProcess): Promise<ListeningReport> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it does not listen after ${LISTENING_LIMIT_MS / 1000} s`)), LISTENING_LIMIT_MS);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      reject(new Error(`it ended with ${signal ?? `exit code ${code}`}`));
    });
    child.on('message', (message: Partial<ListeningReport>) => {
      if (message.kind !== LISTENING) return;
      clearTimeout(timer);
      resolve(message as ListeningReport);
    });
  });
}

function isServing(health: healthpb.HealthClient): Promise<boolean> {
  return new Promise((resolve) => {
    health.check({ service: '' }, (error, response) => resolve(error === null && response.status === healthpb.HealthCheckResponse_ServingStatus.SERVING));
  });
}

function entryOf(service: ServiceName): string {
  const entry = join(__dirname, '../../../apps', service, 'dist/main.js');
  if (!existsSync(entry)) throw new Error(`there is no built service at ${entry}: run "npm run build" first`);
  return entry;
}

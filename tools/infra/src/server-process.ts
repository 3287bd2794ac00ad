/**
 * A server as a child process of ours: start, wait for its word that it serves, stop, kill, start again on the same port.
 *
 *   state     start    stop      kill      exits by itself
 *   STOPPED   RUNNING  STOPPED   STOPPED   -
 *   RUNNING   error    STOPPED   STOPPED   STOPPED
 *
 * The child is killed when this process ends, so that a test that dies leaves nothing behind.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { appendFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';

import type { RunningServer, ServerKind } from './running-server';

/** How long a server may take until it serves. */
const START_LIMIT_MS = 120_000;
/** How long a server may take to stop when asked; then it is killed. */
const STOP_LIMIT_MS = 15_000;
/** What is kept of its output for the error of a failed start. */
const OUTPUT_LIMIT = 4_000;

export interface ServerProgram {
  readonly kind: ServerKind;
  readonly describe: string;
  readonly dataDir: string;
  /** The port asked for; 0: the server picks one. */
  readonly port: number;
  /** In a process group of its own. */
  readonly apart: boolean;
  /** Program and arguments for a port (0 only if the program can pick one itself). */
  command(port: number): { readonly file: string; readonly args: readonly string[] };
  /** Matches the line of output that says it serves; the first group, where there is one, is its port. */
  readonly readyLine: RegExp;
  url(port: number): string;
  /** What is to be done once after every start, like forming a replica set. */
  afterStart?(port: number): Promise<void>;
}

const children = new Set<ChildProcess>();
let watchingExit = false;

export async function startServerProcess(program: ServerProgram): Promise<RunningServer> {
  mkdirSync(program.dataDir, { recursive: true });
  let port = program.port;
  let child: ChildProcess | undefined;

  const start = async (): Promise<void> => {
    if (child !== undefined) throw new Error(`${program.describe} is running already`);
    const started = await launch(program, port);
    child = started.child;
    port = started.port;
    started.child.once('exit', () => {
      if (child === started.child) child = undefined;
    });
    await program.afterStart?.(port);
  };
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    const ending = child;
    if (ending === undefined) return;
    const gone = new Promise<void>((resolve) => ending.once('exit', () => resolve()));
    ending.kill(signal);
    // A paused process hears SIGTERM only once it goes on.
    if (signal === 'SIGTERM') ending.kill('SIGCONT');
    const timer = setTimeout(() => ending.kill('SIGKILL'), STOP_LIMIT_MS);
    await gone;
    clearTimeout(timer);
    child = undefined;
  };

  await start();
  return {
    kind: program.kind,
    describe: program.describe,
    get url() {
      return program.url(port);
    },
    get pid() {
      return child?.pid;
    },
    stop: () => end('SIGTERM'),
    kill: () => end('SIGKILL'),
    restart: start,
    signal: (signal) => {
      child?.kill(signal);
    },
  };
}

function launch(program: ServerProgram, port: number): Promise<{ child: ChildProcess; port: number }> {
  const { file, args } = program.command(port);
  // Its standard input stays open as long as we live: a launcher of ours takes the end of it as the word to stop.
  const child = spawn(file, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: program.apart });
  killWithUs(child);
  const logFile = join(program.dataDir, 'server.log');
  return new Promise((resolve, reject) => {
    let output = '';
    let serving = false;
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${program.describe} did not start: ${why}\n${output.trim()}`));
    };
    const timer = setTimeout(() => fail(`nothing after ${START_LIMIT_MS / 1000} s`), START_LIMIT_MS);
    const take = (chunk: Buffer) => {
      appendFileSync(logFile, chunk);
      if (serving) return;
      output = (output + chunk.toString()).slice(-OUTPUT_LIMIT);
      const ready = portOf(program.readyLine, output);
      if (ready === undefined) return;
      serving = true;
      clearTimeout(timer);
      resolve({ child, port: ready === 0 ? port : ready });
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => {
      if (!serving) fail(`it ended with ${signal ?? `code ${code}`}`);
    });
  });
}

/** The port in the line that says it serves (0: the line names none); undefined: it has not said so yet. */
function portOf(readyLine: RegExp, output: string): number | undefined {
  const match = readyLine.exec(output);
  return match === null ? undefined : Number(match[1] ?? 0);
}

function killWithUs(child: ChildProcess): void {
  children.add(child);
  child.once('exit', () => children.delete(child));
  if (watchingExit) return;
  watchingExit = true;
  process.once('exit', () => {
    for (const alive of children) alive.kill('SIGKILL');
  });
}

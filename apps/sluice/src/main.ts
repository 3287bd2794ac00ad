#!/usr/bin/env node
/** The binary: gives the command line the real world. */
import { createInterface } from 'node:readline/promises';
import { runCli } from './cli';

const interruption = new AbortController();

const INTERRUPTED_EXIT_CODE = 130;
/** One Ctrl-C comes twice in the same moment, from the terminal and from npm; only a later one is another. */
const ANOTHER_AFTER_MS = 1_000;
let interruptedAtMs = 0;

/** The first Ctrl-C asks, the second one insists. */
function interrupt(): void {
  if (!interruption.signal.aborted) {
    interruptedAtMs = Date.now();
    interruption.abort();
  } else if (Date.now() - interruptedAtMs > ANOTHER_AFTER_MS) process.exit(INTERRUPTED_EXIT_CODE);
}

process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
// Whoever reads us (head, less) may leave early; that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

async function ask(question: string): Promise<string> {
  const readline = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return await readline.question(question);
  } finally {
    readline.close();
  }
}

void runCli(process.argv.slice(2), {
  terminal: { results: process.stdout, messages: process.stderr },
  environment: process.env,
  interrupted: interruption.signal,
  ask: process.stdin.isTTY ? ask : undefined,
}).then((exitCode) => {
  process.exitCode = exitCode;
});

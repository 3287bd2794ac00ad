/**
 * `npm run start:distributed`: everything on this machine until Ctrl-C. A process that dies is reported and started again, as a
 * supervisor would, so that one can kill any of them and watch.
 */
import { resolve } from 'node:path';
import type { ServiceChild } from './service-child';
import { startDistributed } from './start-distributed';
import { startText } from './start-text';

const DEFAULT_DATA_DIR = '.sluice';
const RESTART_AFTER_MS = 1_000;
const INTERRUPTED_EXIT_CODE = 130;
/** Ctrl-C comes twice in the same moment, from the terminal and from npm; only a later one insists. */
const INSISTING_AFTER_MS = 1_000;

let stoppingSinceMs: number | undefined;

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

async function bringBack(child: ServiceChild): Promise<void> {
  await new Promise((resume) => setTimeout(resume, RESTART_AFTER_MS));
  if (stoppingSinceMs !== undefined) return;
  try {
    await child.start();
  } catch (error) {
    say((error as Error).message);
  }
}

async function main(): Promise<void> {
  const dataDir = resolve(process.env['SLUICE_DATA_DIR'] ?? DEFAULT_DATA_DIR, 'distributed');
  const distributed = await startDistributed({
    dataDir,
    wellKnownPorts: true,
    progress: say,
    onLine: (name, line) => say(`${name.padEnd(12)}| ${line}`),
    onDeath: (child, how) => {
      if (stoppingSinceMs !== undefined) return;
      say(`${child.name} ended with ${how}; starting it again`);
      void bringBack(child);
    },
  });
  process.stdout.write(`\n${startText(distributed)}\n`);
  const stop = async (): Promise<void> => {
    if (stoppingSinceMs !== undefined) {
      if (Date.now() - stoppingSinceMs > INSISTING_AFTER_MS) process.exit(INTERRUPTED_EXIT_CODE);
      return;
    }
    stoppingSinceMs = Date.now();
    say('stopping: finishing what was taken …');
    await distributed.stop();
    say('stopped');
    process.exit(0);
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop());
}

main().catch((error: unknown) => {
  say((error as Error).message);
  process.exit(1);
});

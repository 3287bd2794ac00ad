/**
 * One jest process, watched: it ends by itself, or it is ended and that counts as failed.
 *
 *   running ──last test──► over ──► ended
 *      │                     └─ still there ──► killed, failed
 *      └─ no test file ends for long ──► killed, failed
 */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { setPriority } from 'node:os';
import { join } from 'node:path';

const require = createRequire(import.meta.url);
const { endedChildSeconds } = require('./processor-time.cjs');
const LOOK_EVERY_MS = 500;
/** The reporter in the process gives up before, with more to say: this is for a process that is busy. */
const ENDS_WITHIN_MS = 45_000;
/** Longer than any test file takes, also on a slow machine. */
const FILE_WITHIN_MS = 900_000;

/** They end with us. */
const children = new Set();
process.on('exit', () => children.forEach((child) => child.kill()));

const NOTHING = { passed: 0, failed: 0, skipped: [], running: [], files: [], failedFiles: [], over: false, open: [] };

/**
 * Resolves with what the reporter counted, and with the processor time. `troubles` are failures of the run itself, a line each; they are counted as failed.
 *
 * @param {{ root: string, config: string, args: readonly string[], report: string, environment?: NodeJS.ProcessEnv, niceness?: number,
 *   endsWithinMs?: number, fileWithinMs?: number }} run report: where the reporter writes.
 */
export async function runJest({ root, config, args, report, environment = {}, niceness = 0, endsWithinMs = ENDS_WITHIN_MS, fileWithinMs = FILE_WITHIN_MS }) {
  const child = spawn(process.execPath, [require.resolve('jest/bin/jest'), '-c', config, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...environment, SLUICE_TEST_REPORT: report },
  });
  children.add(child);
  child.once('exit', () => children.delete(child));
  lowerPriority(child.pid, niceness);
  const troubles = [];
  let before = '';
  let sinceMs = Date.now();
  const watch = setInterval(() => {
    const now = existsSync(report) ? readFileSync(report, 'utf8') : '';
    if (now !== before) [before, sinceMs] = [now, Date.now()];
    const { over, running } = now === '' ? NOTHING : JSON.parse(now);
    const stillMs = Date.now() - sinceMs;
    if (troubles.length > 0 || stillMs < (over ? endsWithinMs : fileWithinMs)) return;
    const seconds = Math.round(stillMs / 1000);
    if (over) troubles.push(`jest was still there ${seconds} s after its last test and did not say what is open: it is busy, or a thread of it is`);
    else troubles.push(`no test file ended for ${seconds} s; running: ${running.join(', ') || 'none'}`);
    child.kill('SIGKILL');
  }, LOOK_EVERY_MS);
  const { code, signal, processorSeconds } = await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve({ code, signal, processorSeconds: endedChildSeconds() }));
  }).finally(() => clearInterval(watch));
  const counted = existsSync(report) ? JSON.parse(readFileSync(report, 'utf8')) : NOTHING;
  if (counted.open.length > 0) troubles.push(`tests left open: ${counted.open.join('; ')}`);
  // jest itself broke (a configuration, a leak): that is a failure even where every test passed.
  if (code !== 0 && counted.failed === 0 && troubles.length === 0) troubles.push(`jest ended with ${signal ?? code}`);
  return { ...counted, failed: counted.failed + troubles.length, troubles, processorSeconds };
}

/** @param {number | undefined} pid of a process that has no children yet: those inherit it. */
export function lowerPriority(pid, niceness) {
  if (pid === undefined || niceness === 0) return;
  try {
    setPriority(pid, niceness);
  } catch {
    // It has ended, or this system has no priorities: nothing depends on it but time.
  }
}

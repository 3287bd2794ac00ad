/**
 * `sluice demo`: a hot account under many callers at once, so that one sees requests become batches. In the end what was
 * acknowledged is counted, and counted again in the log and in the read store.
 */
import { randomUUID } from 'node:crypto';
import { SluiceClient, SluiceError } from '@sluice/client';
import type { Command } from 'commander';
import { wholeNumber } from '../argument';
import type { ConnectionOptions, Surroundings } from '../connection';
import { EXIT, type ExitCode, exitCodeOf, PlainFailure } from '../exit-code';
import { countText, type Output } from '../output';
import { addBattleCommand } from './battle';
import { CallersFailedError, startCallers } from './callers';
import { addDayDemoCommand } from './day';
import { addRushCommand } from './rush';
import { withServer } from './with-server';

interface DemoOptions extends ConnectionOptions {
  readonly seconds: number;
  readonly callers: number;
}

const UNIT = 'EUR';
const DEFAULT_SECONDS = 8;
const DEFAULT_CALLERS = 4_000;
const LINE_PERIOD_MS = 1_000;

export function addDemoCommand(program: Command, surroundings: Surroundings): void {
  const demo = program
    .command('demo')
    .description('drive a hot account and show how requests become batches')
    .option('--seconds <seconds>', 'for so long', wholeNumber, DEFAULT_SECONDS)
    .option('--callers <callers>', 'so many at once, each with one request after another', wholeNumber, DEFAULT_CALLERS)
    .addHelpText('after', '\nWith a server that runs already, or with one of its own.\n\nExample:\n  sluice demo --seconds 20')
    .action((_options: unknown, command: Command) => withServer(command.optsWithGlobals<DemoOptions>(), surroundings, drive));
  addBattleCommand(demo, surroundings);
  addRushCommand(demo, surroundings);
  addDayDemoCommand(demo, surroundings);
}

async function drive(target: string, { seconds, callers }: DemoOptions, output: Output): Promise<ExitCode> {
  const client = new SluiceClient({ target });
  try {
    const accountId = `demo-${randomUUID().slice(0, 8)}`;
    await client.accounts.open({ accountId, unit: UNIT });
    const commitsBefore = await commitsOf(client);
    output.message(`${countText(callers)} callers post to ${accountId}, each one request after another, for ${seconds} s`);
    const acknowledged = await postAndShow(target, accountId, { seconds, callers }, client, output);
    const commits = (await commitsOf(client)).commits - commitsBefore.commits;
    // Waits for the read store: the reading of what was written last.
    const { logEntryCount, readEntryCount, equal } = await client.log.verifyAccount(accountId, { deadlineMs: 60_000 });
    const numbers = [BigInt(acknowledged), logEntryCount, readEntryCount];
    const same = equal && numbers.every((number) => number === numbers[0]);
    output.message(
      `${countText(acknowledged)} requests became ${countText(commits)} commits, ${countText(Math.round(acknowledged / Math.max(1, commits)))} requests each: one balance update and one fsync for all of them`,
    );
    if (output.json) output.object({ accountId, acknowledged, commits, logged: logEntryCount, projected: readEntryCount, verified: same });
    else if (same) output.line(`acknowledged = log = read store: ${numbers.join(' = ')}`);
    else output.line(`acknowledged, log and read store differ: ${numbers.join(', ')}`);
    return same ? EXIT.done : EXIT.refused;
  } catch (error) {
    throw wentAway(target, error);
  } finally {
    client.close();
  }
}

/** Says what is known when the server is gone in the middle of the demo. */
function wentAway(target: string, error: unknown): unknown {
  const failure = error instanceof CallersFailedError ? error.failure : error;
  if (!(failure instanceof SluiceError) || exitCodeOf(failure) !== EXIT.unavailable) return error;
  const until = error instanceof CallersFailedError ? `${countText(error.acknowledged)} postings were acknowledged until then, and are in its log. ` : '';
  return new PlainFailure(
    `the server on ${target} went away (${failure.message}). ${until}Start it again: "sluice verify" compares its log with its read store`,
    EXIT.unavailable,
  );
}

async function postAndShow(
  target: string,
  accountId: string,
  load: { seconds: number; callers: number },
  client: SluiceClient,
  output: Output,
): Promise<number> {
  let acknowledged = 0;
  let shown = { acknowledged: 0, ...(await commitsOf(client)), at: performance.now() };
  const show = async (): Promise<void> => {
    const now = { acknowledged, ...(await commitsOf(client)), at: performance.now() };
    const period = (now.at - shown.at) / 1_000;
    const postings = now.acknowledged - shown.acknowledged;
    const commits = now.commits - shown.commits;
    output.message(
      `${countText(Math.round(postings / period)).padStart(10)} requests/s  ${countText(Math.round(commits / period)).padStart(6)} commits/s  ${countText(Math.round(postings / Math.max(1, commits))).padStart(6)} requests a commit  read store ${now.lagMs.toFixed(0)} ms behind`,
    );
    shown = now;
  };
  const showing = setInterval(() => void show().catch(() => undefined), LINE_PERIOD_MS);
  try {
    return await startCallers({ target, accountId, unit: UNIT, ...load }, (done) => {
      acknowledged = done;
    });
  } finally {
    clearInterval(showing);
  }
}

/** Commits in the log so far, and how far the read store is behind it. */
async function commitsOf(client: SluiceClient): Promise<{ commits: number; lagMs: number }> {
  const { partitions } = await client.projection.status();
  return {
    commits: partitions.reduce((sum, { headSequence }) => sum + Number(headSequence), 0),
    lagMs: Math.max(...partitions.map(({ lagUs }) => Number(lagUs) / 1_000)),
  };
}

/** What a visitor runs first: npm start and npm run demo, from the workspace. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EXIT } from '../exit-code';
import { SluiceClient } from '@sluice/client';
import { cli, jsonLines, ServedSluice } from '../testing/cli-for-tests';

const WORKSPACE = join(__dirname, '..', '..', '..', '..');
const NOBODY = '127.0.0.1:1';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-demo-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const environment = (): NodeJS.ProcessEnv => ({ SLUICE_DATA_DIR: folder, SLUICE_PORT: '0', SLUICE_TARGET: NOBODY });

test('the demo counts what was acknowledged in the log and in the read store', async () => {
  const { code, out, err } = await cli(['demo', '--seconds', '1', '--callers', '500'], { environment: environment() });
  expect(out).toMatch(/^acknowledged = log = read store: (\d+) = \1 = \1\n$/);
  expect(err).toMatch(/[\d,]+ requests became [\d,]+ commits/);
  expect(code).toBe(EXIT.done);
});

test('a server that goes away in the middle: what was acknowledged until then, and the exit code for it', async () => {
  const served = await ServedSluice.start({ SLUICE_DATA_DIR: folder });
  const demo = cli(['demo', '--seconds', '60', '--callers', '50'], { environment: { SLUICE_TARGET: served.address } });
  const client = new SluiceClient({ target: served.address });
  const busy = async (): Promise<boolean> => {
    for await (const { entryCount } of client.accounts.list({ unit: 'EUR' })) if (entryCount > 100n) return true;
    return false;
  };
  while (!(await busy())) await new Promise((resolve) => setTimeout(resolve, 50));
  client.close();
  await served.end('SIGKILL');
  const { code, err } = await demo;
  expect(err).toMatch(
    /the server on \S+ went away \(.+\)\. [\d,]+ postings were acknowledged until then, and are in its log\. Start it again: "sluice verify"/,
  );
  expect(code).toBe(EXIT.unavailable);
});

test('the demo for machines', async () => {
  const { out } = await cli(['demo', '--seconds', '1', '--callers', '50', '--json'], { environment: environment() });
  const [figures] = jsonLines(out) as { acknowledged: number; commits: number; logged: string; verified: boolean }[];
  expect(figures?.verified).toBe(true);
  expect(figures?.logged).toBe(String(figures?.acknowledged));
  expect(figures?.commits).toBeLessThan(figures?.acknowledged ?? 0);
});

test('in a battle every unit that was given is a point or was given back, and every unit of the fund was paid', async () => {
  const options = ['--givers', '40', '--rounds', '2', '--round-seconds', '2', '--json'];
  const { code, out } = await cli(['demo', 'battle', ...options], { environment: environment() });
  const [proof] = jsonLines(out) as {
    gifts: number;
    givenMinor: string;
    points: string;
    refundedMinor: string;
    reconciliation: unknown[];
    verified: boolean;
  }[];
  expect(proof).toMatchObject({ verified: true, reconciliation: [{ outcome: 'EQUAL' }, { outcome: 'EQUAL' }] });
  expect(BigInt(proof?.givenMinor ?? 0)).toBe(BigInt(proof?.points ?? 0) + BigInt(proof?.refundedMinor ?? 0));
  expect(code).toBe(EXIT.done);
});

test('in a rush no seat is taken twice, and what comes free goes to the first that waits', async () => {
  const options = ['--people', '300', '--seats', '20', '--leave', '5'];
  const { code, out, err } = await cli(['demo', 'rush', ...options], { environment: environment() });
  const [, waiting, refused] = /^people = .*: 300 = 20 \+ (\d+) \+ (\d+) \+ 5; 20 seats$/m.exec(out) ?? [];
  expect(Number(waiting) + Number(refused)).toBe(275);
  expect(out).toContain('never more than 20 seats were taken, and 5 that came free went each to the first that waited');
  expect(out).toContain(`log = read store: 20 taken = 20 taken, ${waiting} wait = ${waiting} wait`);
  expect(err).toMatch(/300 answered +20 reserved/);
  expect(code).toBe(EXIT.done);
});

test('a day is cut, run and begun while customers post: none is refused, every account has its closing balance, and the log proves it', async () => {
  const { code, out, err } = await cli(['demo', 'day', '--accounts', '200', '--customers', '20', '--seconds', '1'], { environment: environment() });
  expect(out).toMatch(/^[\d,]+ postings and transfers were acknowledged, 0 refused\nlongest answer: \d+ ms before the cut, \d+ ms during it/);
  expect(out).toMatch(
    /: opening \+ posted = closing: 200020000 \+ -?\d+ = \d+, for each of 200 accounts\nnow: funds \+ postings \+ interest = balances: (\d+) = \1\n/,
  );
  expect(out).toContain('balanced on ');
  const [, date, , , next] = /before the cut +online (\S+) +batch (\S+) (.*\n)*the day is cut +online (\S+) +batch \1 /.exec(err) ?? [];
  expect(next).not.toBe(date);
  expect(err).toMatch(new RegExp(`the day is begun +online ${next} +batch ${next} `));
  expect(code).toBe(EXIT.done);
});

test('npm start serves, and Ctrl-C ends it cleanly', async () => {
  const child = spawn('npm', ['start'], { cwd: WORKSPACE, env: { ...process.env, ...environment() }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let output = '';
  const serving = new Promise<void>((resolve, reject) => {
    const keep = (chunk: Buffer): void => {
      output += chunk.toString('utf8');
      if (output.includes('Ctrl-C stops it.')) resolve();
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.on('exit', () => reject(new Error(`it ended: ${output}`)));
  });
  await serving;
  expect(output).toContain(`data folder  ${folder} (4 partitions)`);
  const ended = once(child, 'close');
  // To the group, as a terminal does.
  process.kill(-(child.pid as number), 'SIGINT');
  await ended;
  expect(output).toContain('stopped');
});

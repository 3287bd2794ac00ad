/** A run of twelve seconds, as it is typed: what it prints, what it leaves, how it ends. */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { haveServer } from '@sluice/infra';
import type { ChaosReport } from './report';

const possible = haveServer('nats') && haveServer('mongodb');
const CHAOS = join(__dirname, '../chaos.mjs');

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-chaos-test-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

/** @param interruptAt Ctrl-C, once standard error says so. */
function chaos(argv: readonly string[], interruptAt?: RegExp): Promise<Ended> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [CHAOS, ...argv], { stdio: ['ignore', 'pipe', 'pipe'] });
    let out = '';
    let err = '';
    let interrupted = false;
    child.stdout.on('data', (chunk: Buffer) => (out += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString();
      if (interrupted || interruptAt === undefined || !interruptAt.test(err)) return;
      interrupted = true;
      child.kill('SIGINT');
    });
    child.once('close', (code) => resolve({ code, out, err }));
  });
}

(possible ? describe : describe.skip)('a run', () => {
  test('takes away what its seed draws, judges, reports as JSON and keeps the logs where it is told to', async () => {
    const logs = join(folder, 'logs');
    const { out, err } = await chaos(['--seed', '4', '--minutes', '0.2', '--json', '--logs', logs]);
    const report = JSON.parse(out) as ChaosReport & { readonly command: string; readonly logs: string };
    expect(report).toMatchObject({ seed: 4, plan: 'random', lost: 0, doubled: 0, command: 'npm run chaos -- --seed 4 --minutes 0.2', logs });
    expect(report.steps.length).toBeGreaterThan(0);
    expect(report.acknowledged).toBeGreaterThan(0);
    expect(err).toContain(report.whole ? 'WHOLE' : 'NOT WHOLE');
    expect(readdirSync(logs)).toEqual(expect.arrayContaining(['command-1.log', 'projector-1.log', 'query-1.log', 'scheduler-1.log']));
    for (const server of ['nats', 'mongodb']) expect(existsSync(join(logs, 'data', server, 'server.log'))).toBe(true);
  });

  test('is ended by Ctrl-C: what was done so far is judged', async () => {
    const { code, out } = await chaos(['--seed', '4', '--minutes', '5', '--logs', join(folder, 'logs')], /\d\d:\d\d \w+ /);
    expect([0, 1]).toContain(code);
    expect(out).toMatch(/lost +0\n/);
  });
});

test('a wrong option is named, with what there is', async () => {
  expect(await chaos(['--minutes', 'ten'])).toMatchObject({ code: 2, out: '', err: expect.stringMatching(/--minutes is a number[^]*usage: npm run chaos/) });
});

test('--help says what it does', async () => {
  expect(await chaos(['--help'])).toMatchObject({ code: 0, out: expect.stringContaining('--seed N') });
});

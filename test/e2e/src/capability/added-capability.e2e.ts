/**
 * A capability is a folder: the toy capability's folders are put at their addresses in a copy of the workspace, codegen and build run, and
 * the server has counters, in every part of it, on data that a version without counters has written. No other file is changed.
 */
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { dataFolder, Server } from '../harness/server';
import { CopiedWorkspace } from './copied-workspace';
import { ReflectedCalls } from './reflected-calls';

/** On two cores it takes less than 90 s; the machine may have more to do. */
const TIMEOUT_MS = 600_000;
const ADDRESSES = [
  'protos/sluice',
  'libs/protocol/src',
  'libs/domain/src',
  'libs/projections/src',
  'libs/client/src',
  'libs/service/src',
  'apps/command/src',
  'apps/query/src',
  'apps/sluice/src',
  'test/simulation',
];
const COMMANDS = 'sluice.counter.v1.CounterCommandService';
const QUERIES = 'sluice.counter.v1.CounterQueryService';

let workspace: CopiedWorkspace;
const data = dataFolder();

beforeAll(async () => {
  // A version without counters has been at work.
  const before = await Server.start(data.path);
  workspace = CopiedWorkspace.make();
  cli(before, 'account', 'open', 'alice', 'EUR');
  cli(before, 'account', 'post', 'alice', 'CREDIT', '250', 'EUR');
  await before.end('SIGTERM');
  workspace.add('test/capability/counter');
  workspace.run('npm', ['run', '--silent', 'codegen']);
  workspace.run(process.execPath, [join('node_modules', '@typescript', 'native-preview', 'bin', 'tsgo'), '-b', 'apps/sluice/tsconfig.lib.json']);
}, TIMEOUT_MS);
afterAll(() => {
  workspace.remove();
  data.remove();
});

/** The command line of the copy. */
function cli(server: Server, ...args: string[]): string {
  return workspace.run(process.execPath, ['apps/sluice/bin/sluice.mjs', ...args, '--target', server.address]);
}

function object(server: Server, ...args: string[]): Record<string, unknown> {
  return JSON.parse(
    cli(server, ...args, '--json')
      .trim()
      .split('\n')
      .at(-1) as string,
  ) as Record<string, unknown>;
}

const tokenOf = (answer: unknown): string => (answer as { positionToken?: string }).positionToken ?? '';

const start = (): Promise<Server> =>
  Server.start(data.path, { SLUICE_COUNTER_LARGEST_ADDITION: '10' }, join(workspace.folder, 'apps', 'sluice', 'dist', 'main.js'));

test(
  'its folders change no other file but those that codegen writes',
  () => {
    const changed = workspace.changes();
    const isOwn = (path: string): boolean => ADDRESSES.some((address) => path.startsWith(`${address}/counter/`));
    const isGenerated = (path: string): boolean =>
      /^(libs\/protocol\/(src\/generated\/|descriptor\.binpb$)|[^/]+\/[^/]+\/(src\/)?[a-z]+\.generated\.ts$)/.test(path);
    expect(changed.filter((path) => !isOwn(path) && !isGenerated(path))).toEqual([]);
    for (const address of ADDRESSES) expect(changed.some((path) => path.startsWith(`${address}/counter/`))).toBe(true);
    expect(() => workspace.run('npm', ['run', '--silent', 'codegen', '--', '--check'])).not.toThrow();
  },
  TIMEOUT_MS,
);

test(
  'the server has counters in every part of it',
  async () => {
    let server = await start();
    try {
      // By reflection, as grpcurl does.
      const calls = new ReflectedCalls(server.address);
      expect(await calls.services()).toEqual(expect.arrayContaining([COMMANDS, QUERIES, 'sluice.account.v1.AccountCommandService']));
      const added = await calls.call(COMMANDS, 'Add', { requestId: 'first', counterId: 'visits', amount: '5' });
      const positionToken = tokenOf(added);
      expect(added).toMatchObject({ value: '5' });
      expect(await calls.call(QUERIES, 'GetCounter', { counterId: 'visits', positionToken })).toMatchObject({ value: '5', additions: '1' });
      await expect(calls.call(QUERIES, 'GetCounter', { counterId: 'nothing' })).rejects.toThrow(/NOT_FOUND: there is no counter/);
      await expect(calls.call(COMMANDS, 'Add', { requestId: 'below', counterId: 'visits', amount: '-6' })).rejects.toThrow(/FAILED_PRECONDITION/);

      // By its setting.
      await expect(calls.call(COMMANDS, 'Add', { requestId: 'large', counterId: 'visits', amount: '11' })).rejects.toThrow(/INVALID_ARGUMENT/);

      // By the command line, and so by the client.
      expect(object(server, 'counter', 'add', 'visits', '2', '--request-id', 'second')).toMatchObject({ value: '7', repeated: false });
      expect(object(server, 'counter', 'get', 'visits')).toMatchObject({ value: '7', additions: '2' });
      const doors = tokenOf(await calls.call(COMMANDS, 'Add', { requestId: 'third', counterId: 'doors', amount: '10' }));
      const repeated = await calls.call(COMMANDS, 'Add', { requestId: 'second', counterId: 'visits', amount: '2' });
      expect(repeated).toMatchObject({ value: '7', repeated: true });
      expect(await calls.call(QUERIES, 'GetTotals', { positionTokens: [tokenOf(repeated), doors] })).toEqual({ counters: '2', value: '17' });
      calls.close();

      // Verified and rebuilt, beside the accounts that were there before.
      const compared = [
        { what: 'counters', count: '2' },
        { what: 'accounts', count: '1' },
      ];
      expect(object(server, 'verify')).toMatchObject({ equal: true, differences: [], compared: expect.arrayContaining(compared) as unknown });
      expect(object(server, 'verify', 'counter', 'visits')).toMatchObject({ equal: true, differences: [] });
      cli(server, 'rebuild');
      expect(object(server, 'verify')).toMatchObject({ equal: true, compared: expect.arrayContaining(compared) as unknown });
      expect(object(server, 'account', 'get', 'alice')).toMatchObject({ balanceMinor: '250' });

      // From the log alone, then from a snapshot.
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) {
        await server.end(signal);
        server = await start();
        expect(object(server, 'counter', 'add', 'visits', '2', '--request-id', 'second')).toMatchObject({ value: '7', repeated: true });
        expect(object(server, 'counter', 'get', 'visits')).toMatchObject({ value: '7', additions: '2' });
      }
      const snapshots = join(data.path, 'snapshots.db');
      expect(existsSync(snapshots) && statSync(snapshots).size > 0).toBe(true);
      expect(object(server, 'counter', 'add', 'visits', '-7')).toMatchObject({ value: '0' });
    } finally {
      await server.end('SIGTERM');
    }
  },
  TIMEOUT_MS,
);

test(
  'its workload is part of simulated seeds',
  () => {
    const bundle = workspace.run(process.execPath, ['tools/simulate/bundle.mjs']).trim();
    const trace = workspace.run(process.execPath, [bundle, '--seed', '1', '--seeds', '20', '--trace']);
    expect(trace).toContain('the counter is read as');
    expect(trace).toContain('20 seeds in');
  },
  TIMEOUT_MS,
);

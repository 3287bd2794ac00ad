/**
 * NATS with JetStream for development and tests, in this order: the server of SLUICE_NATS_URL, `nats-server` on the PATH,
 * a copy fetched earlier, what Go has installed, `go install`, the system's package manager.
 *
 * It is started as production should run it: file storage, every write synchronised before it is acknowledged
 * (`sync_interval: always`), loopback only.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { cacheFolder, cachedFolder } from './cache-folder';
import { externalServer } from './external-server';
import { isExecutable, lastLine, onPath, runProgram } from './program-search';
import type { RunningServer, ServerOptions } from './running-server';
import { startServerProcess } from './server-process';
import { firstSource, type SearchOptions, type ServerSource } from './server-source';

const GO_PACKAGE = 'github.com/nats-io/nats-server/v2@latest';
const GO_INSTALL_LIMIT_MS = 300_000;
const PACKAGE_MANAGER_LIMIT_MS = 180_000;
const QUESTION_LIMIT_MS = 10_000;
const CACHED = 'nats-server';

/** Package managers that can be asked without a person: as root, or without needing to be. */
const PACKAGE_MANAGERS: readonly { readonly program: string; readonly args: readonly string[]; readonly asRoot: boolean }[] = [
  { program: 'apt-get', args: ['install', '--yes', '--no-install-recommends', 'nats-server'], asRoot: true },
  { program: 'apk', args: ['add', 'nats-server'], asRoot: true },
  { program: 'dnf', args: ['install', '--assumeyes', 'nats-server'], asRoot: true },
  { program: 'brew', args: ['install', 'nats-server'], asRoot: false },
];

export interface NatsServerOptions extends ServerOptions {
  /** Further lines of its configuration, like `max_payload: 64KB` or an `authorization` block. */
  readonly configuration?: string;
  /** False: the server of SLUICE_NATS_URL is not taken, for tests that kill theirs. */
  readonly external?: boolean;
  readonly progress?: (line: string) => void;
}

export const natsSources: readonly ServerSource<string>[] = [
  { title: 'nats-server on the PATH', look: async () => onPath('nats-server') },
  { title: 'nats-server fetched earlier', look: async () => existing(join(cacheFolder(), CACHED, 'nats-server')) },
  { title: 'nats-server installed by Go', look: installedByGo },
  { title: `go install ${GO_PACKAGE}`, look: async () => undefined, fetch: goInstall },
  { title: "the system's package manager", look: async () => undefined, fetch: askPackageManager },
];

export async function findNats(options: SearchOptions): Promise<{ program: string; title: string }> {
  return firstSource('NATS server', natsSources, options);
}

export async function startNats(options: NatsServerOptions): Promise<RunningServer> {
  const url = process.env['SLUICE_NATS_URL'];
  if (url !== undefined && url !== '' && options.external !== false) return externalServer('NATS', url, 'SLUICE_NATS_URL');
  const { program, title } = await findNats({ fetch: true, progress: options.progress ?? (() => undefined) });
  const version = lastLine((await runProgram(program, ['--version'], { timeoutMs: QUESTION_LIMIT_MS })).stdout);
  const configurationFile = join(options.dataDir, 'nats.conf');
  return startServerProcess({
    kind: 'nats-server',
    describe: `${version === '' ? 'nats-server' : version} (${title})`,
    dataDir: options.dataDir,
    port: options.port ?? 0,
    apart: options.apart ?? false,
    command: (port) => {
      mkdirSync(options.dataDir, { recursive: true });
      writeFileSync(configurationFile, configurationFor(options, port));
      return { file: program, args: ['--config', configurationFile] };
    },
    readyLine: /Listening for client connections on 127\.0\.0\.1:(\d+)[\s\S]*Server is ready/,
    url: (port) => `nats://127.0.0.1:${port}`,
  });
}

function configurationFor(options: NatsServerOptions, port: number): string {
  return [
    '# JetStream as Sluice wants it: on disk, and synchronised before it is acknowledged.',
    `listen: "127.0.0.1:${port === 0 ? -1 : port}"`,
    `jetstream { store_dir: ${JSON.stringify(join(options.dataDir, 'jetstream'))}, sync_interval: always }`,
    options.configuration ?? '',
    '',
  ].join('\n');
}

function existing(file: string): string | undefined {
  return isExecutable(file) ? file : undefined;
}

async function installedByGo(): Promise<string | undefined> {
  const go = onPath('go');
  if (go === undefined) return undefined;
  const { stdout } = await runProgram(go, ['env', 'GOBIN', 'GOPATH'], { timeoutMs: QUESTION_LIMIT_MS });
  const [bin = '', path = ''] = stdout.split('\n');
  return existing(join(bin.trim() === '' ? join(path.trim(), 'bin') : bin.trim(), 'nats-server'));
}

async function goInstall(progress: (line: string) => void): Promise<string> {
  const go = onPath('go');
  if (go === undefined) throw new Error('Go is not installed');
  progress(`building nats-server with Go (once, about a minute): ${GO_PACKAGE}`);
  const folder = await cachedFolder(CACHED, async (making) => {
    const result = await runProgram(go, ['install', GO_PACKAGE], { timeoutMs: GO_INSTALL_LIMIT_MS, env: { GOBIN: making } });
    if (result.code !== 0) throw new Error(lastLine(result.stderr));
  });
  return join(folder, 'nats-server');
}

async function askPackageManager(progress: (line: string) => void): Promise<string> {
  const root = process.getuid?.() === 0;
  const manager = PACKAGE_MANAGERS.find((candidate) => onPath(candidate.program) !== undefined && (root || !candidate.asRoot));
  if (manager === undefined) throw new Error('none that can be asked without a person');
  progress(`${manager.program} ${manager.args.join(' ')}`);
  const result = await runProgram(manager.program, manager.args, { timeoutMs: PACKAGE_MANAGER_LIMIT_MS });
  if (result.code !== 0) throw new Error(`${manager.program}: ${lastLine(result.stderr)}`);
  const program = onPath('nats-server') ?? existing('/usr/sbin/nats-server');
  if (program === undefined) throw new Error(`${manager.program} installed no nats-server`);
  return program;
}

/**
 * The rivals, where they can be had. Their packages are not installed with the workspace: SLUICE_BENCH_RIVALS names a folder in whose `node_modules` they are.
 * Two of them want Node 22: where the bench runs on an older one, the package of Node's binary in that folder is taken.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bench } from '../bench';
import { findRedis } from '../rival/redis-server';
import type { TaskPlace, TaskRivalName } from './task-order';

const RIVALS: readonly TaskRivalName[] = ['graphile-worker', 'pg-boss', 'bullmq'];
const LEAST_NODE = 22;

export interface TaskRival {
  readonly place: TaskPlace;
  /** Of the package and of its server. */
  readonly version: string;
  /** The program that runs it. */
  readonly node: string;
}

export interface TaskRivals {
  readonly found: readonly TaskRival[];
  /** Why the others are not there. */
  readonly missing: Readonly<Partial<Record<TaskRivalName, string>>>;
}

export async function findTaskRivals(bench: Bench): Promise<TaskRivals> {
  const folder = process.env['SLUICE_BENCH_RIVALS'] ?? '';
  if (!bench.options.compare.has('rivals')) return noneOf('not asked for (--compare)');
  if (folder === '') return noneOf('SLUICE_BENCH_RIVALS does not name a folder with graphile-worker, pg-boss and bullmq');
  const node = nodeOf(folder);
  if (node === undefined) return noneOf(`they want Node ${LEAST_NODE}, and node-${process.platform}-${process.arch} is not installed in ${folder}`);
  const servers = { 'graphile-worker': await bench.findPostgres(), bullmq: await findRedis(bench.scratch) };
  const found: TaskRival[] = [];
  const missing: Partial<Record<TaskRivalName, string>> = {};
  for (const system of RIVALS) {
    const version = versionOf(folder, system);
    const server = servers[system === 'bullmq' ? 'bullmq' : 'graphile-worker'];
    if (version === undefined) missing[system] = `${system} is not installed in ${folder}`;
    else if ('missing' in server) missing[system] = server.missing;
    else {
      const { url, version: ofServer } = server;
      found.push({
        place: { system, url, packages: folder },
        version: `${version} on ${system === 'bullmq' ? 'Redis' : 'PostgreSQL'} ${ofServer.split(' ')[0]}`,
        node,
      });
    }
  }
  return { found, missing };
}

function noneOf(reason: string): TaskRivals {
  return { found: [], missing: Object.fromEntries(RIVALS.map((system) => [system, reason])) };
}

function nodeOf(folder: string): string | undefined {
  if (Number(process.versions.node.split('.')[0]) >= LEAST_NODE) return process.execPath;
  const installed = join(folder, `node_modules/node-${process.platform}-${process.arch}/bin/node`);
  return existsSync(installed) ? installed : undefined;
}

function versionOf(folder: string, name: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'node_modules', name, 'package.json'), 'utf8')) as { readonly version: string };
    return version;
  } catch {
    return undefined;
  }
}

/**
 * Histories of a capability: logs as earlier versions wrote them, with the requests that made them and their answers, one file each. A file
 * is never changed. A new event, or a new version of one, gets a new file:
 *
 *   SLUICE_RECORD_HISTORY=NAME npx jest … history.int.ts
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MemoryLogStorage } from '@sluice/memory';
import { readCommit } from '@sluice/protocol';

export interface History {
  /** In base64, by partition. */
  readonly commits: string[][];
  /** By request id. */
  readonly answers: Readonly<Record<string, string>>;
}

/** Names of the histories of the folder. */
export function historiesIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => name.endsWith('.json'));
}

export function readHistory<Recorded extends History>(folder: string, name: string): Recorded {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Recorded;
}

/** A test that records one, where the environment names it. */
export function testRecordingInto(folder: string, record: () => Promise<History>): void {
  const recording = process.env['SLUICE_RECORD_HISTORY'];
  if (recording === undefined) return;
  test('a history is recorded', async () => {
    const file = join(folder, `${recording}.json`);
    if (existsSync(file)) throw new Error(`${file} is there already; a history is never changed`);
    writeFileSync(file, `${JSON.stringify(await record(), undefined, 1)}\n`);
  });
}

/** Events, as type/version, of which no history of the folder has one. */
export function eventsWithoutHistory(folder: string, known: readonly { readonly type: string; readonly version: number }[]): string[] {
  const found = new Set(
    historiesIn(folder)
      .flatMap((name) => readHistory(folder, name).commits.flat())
      .flatMap((text) => readCommit(Buffer.from(text, 'base64')).events.map(({ type, version }) => `${type}/${version}`)),
  );
  return known.map(({ type, version }) => `${type}/${version}`).filter((event) => !found.has(event));
}

/** The commits of the log, as a history keeps them. */
export function commitsOf(log: MemoryLogStorage): string[][] {
  return log.partitions.map((commits) => commits.map(({ bytes }) => Buffer.from(bytes).toString('base64')));
}

/** Fills an empty log with the commits of a history. */
export function fillLog(log: MemoryLogStorage, commits: History['commits']): void {
  for (const [partition, ofPartition] of commits.entries()) {
    for (const [at, text] of ofPartition.entries())
      log.commitsOf(partition).push({ partition, sequence: at + 1, bytes: Buffer.from(text, 'base64'), commandCount: 0, committedAtUs: 0, eventTypes: [] });
  }
}

/** The answer as a history keeps it: what depends on when it was given is left out; a refusal is its reason. */
export async function keptAnswer(call: Promise<unknown>): Promise<string> {
  try {
    return JSON.stringify(await call, (name, value: unknown) =>
      name === 'repeated' || name === 'positionToken' ? undefined : typeof value === 'bigint' ? String(value) : value,
    );
  } catch (error) {
    return (error as { reason?: string }).reason ?? String(error);
  }
}

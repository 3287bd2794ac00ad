/**
 * A log as some version of Sluice wrote it, beside what was asked and answered then. Bytes are base64, amounts are text: the file is to be
 * read by every later version.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface GoldenRequest {
  /** Method of AccountCommandService, like "postBatch". */
  readonly method: string;
  /** The encoded request. */
  readonly request: string;
  /** The encoded response; undefined: refused. */
  readonly response?: string;
  /** Reason with which the call was refused. */
  readonly refused?: string;
}

/** An account in the end, as queries show it. */
export interface GoldenAccount {
  readonly accountId: string;
  readonly unit: string;
  readonly branchId: string;
  readonly product: string;
  readonly status: string;
  readonly balanceMinor: string;
  readonly heldMinor: string;
  readonly holds: readonly (readonly [string, string])[];
  readonly version: number;
  readonly entryCount: number;
  readonly rejectionCount: number;
  readonly signingKeyId: string;
  readonly openedAtUs: number;
}

export interface GoldenLog {
  readonly incarnation: string;
  readonly partitions: number;
  /** By partition, then in the order of their sequences. */
  readonly commits: readonly (readonly string[])[];
  readonly requests: readonly GoldenRequest[];
  readonly accounts: readonly GoldenAccount[];
}

const FOLDER = join(__dirname, '..', '..', 'golden');

export function goldenNames(): string[] {
  return readdirSync(FOLDER)
    .filter((name) => name.endsWith('.json'))
    .map((name) => name.slice(0, -'.json'.length))
    .sort();
}

export function readGolden(name: string): GoldenLog {
  return JSON.parse(readFileSync(fileOf(name), 'utf8')) as GoldenLog;
}

/** Throws where the name is taken: what was written once stays. */
export function writeGolden(name: string, log: GoldenLog): void {
  if (existsSync(fileOf(name))) throw new Error(`${fileOf(name)} is there already; a golden history is never changed`);
  writeFileSync(fileOf(name), `${JSON.stringify(log, undefined, 1)}\n`, { flag: 'wx' });
}

function fileOf(name: string): string {
  return join(FOLDER, `${name}.json`);
}

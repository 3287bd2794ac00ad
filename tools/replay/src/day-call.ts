/** Calls of a replay of business days, and what is waited for. */
import { SluiceError } from '@sluice/client';
import { pause } from './task-outages';
import { isAway } from './until-answered';

export const CALL = { deadlineMs: 60_000 };
/** What is there, not what this client wrote: a read of one branch need not wait for all the others. */
export const READ = { ...CALL, positionTokens: [] };
export const LOOK_MS = 100;
/** An end of day, or its rows in the read store, that do not come for so long are lost. */
export const PATIENCE_MS = 120_000;

/** What a read says until the rows are there. */
const NOT_THERE_YET = new Set(['DATE_NOT_CLOSED', 'BATCH_RUN_NOT_FOUND', 'BRANCH_NOT_FOUND']);

/** Reads again while the rows, or the server, are not there. */
export async function untilRead<Answer>(read: () => Promise<Answer>): Promise<Answer> {
  for (const untilMs = Date.now() + PATIENCE_MS; ; await pause(LOOK_MS)) {
    try {
      return await read();
    } catch (error) {
      if (!isPassing(error) || Date.now() > untilMs) throw error;
    }
  }
}

export function isPassing(error: unknown): boolean {
  return error instanceof SluiceError && (isAway(error) || NOT_THERE_YET.has(error.reason));
}

export async function gathered<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const all: Item[] = [];
  for await (const item of items) all.push(item);
  return all;
}

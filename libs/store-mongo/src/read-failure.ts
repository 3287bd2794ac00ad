/** Which failed reads may be tried again: the server is away or not a primary, or it lacks an index that the projector is still making. */
import { MongoNetworkError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { StoreUnavailableError } from '@sluice/ports';

/** Of servers that stop or are no primary (any more), and of reads for which there was no time. */
const UNAVAILABLE_CODES: ReadonlySet<number> = new Set([6, 7, 50, 89, 91, 189, 9001, 10_107, 11_600, 11_602, 13_435, 13_436]);
const BAD_VALUE = 2;

/** @throws StoreUnavailableError for a failure that passes, with the driver's error as its cause; any other failure as it is. */
export async function tellingUnavailable<Result>(read: Promise<Result>): Promise<Result> {
  try {
    return await read;
  } catch (error) {
    const why = unavailability(error);
    throw why === undefined ? error : new StoreUnavailableError(why, { cause: error });
  }
}

function unavailability(error: unknown): string | undefined {
  if (error instanceof MongoNetworkError || error instanceof MongoServerSelectionError) return `the read store cannot be reached: ${error.message}`;
  if (!(error instanceof MongoServerError)) return undefined;
  const code = Number(error.code);
  if (UNAVAILABLE_CODES.has(code)) return `the read store cannot answer now: ${error.message}`;
  return code === BAD_VALUE && /\bhint\b/.test(error.message) ? `the read store lacks an index; the projector makes it: ${error.message}` : undefined;
}

/**
 * Calls whose items each have their own outcome: what is left without a verdict is sent again, alone, under the retry
 * policy; what has its verdict keeps it.
 */
import type { Caller } from './caller';
import { isRetryable } from './retry';
import { SluiceError, toSluiceError } from './sluice-error';

/** Most that one call of the services takes. */
const MAXIMUM_BATCH_ITEMS = 10_000;

export interface ItemOutcome {
  readonly error?: SluiceError;
}

export interface ItemBatch<Item, Outcome extends ItemOutcome> {
  readonly items: readonly Item[];
  /** One call; resolves with one outcome per item, in order. */
  readonly send: (items: readonly Item[]) => Promise<Outcome[]>;
  /** The outcome of an item whose call failed as a whole. */
  readonly failed: (item: Item, error: SluiceError) => Outcome;
}

/** @param plural "postings", for the message. */
export function checkBatch(count: number, plural: string): void {
  if (count <= MAXIMUM_BATCH_ITEMS) return;
  const message = `a batch has at most ${MAXIMUM_BATCH_ITEMS} ${plural}, not ${count}`;
  throw new SluiceError({ code: 'INVALID_ARGUMENT', reason: 'BATCH_TOO_LARGE', message });
}

/** Resolves with one outcome per item, in order. Throws when a call failed as a whole and no item has an outcome yet. */
export async function sendItems<Item, Outcome extends ItemOutcome>(caller: Caller, batch: ItemBatch<Item, Outcome>, deadlineAt: number): Promise<Outcome[]> {
  const { items, send, failed } = batch;
  const outcomes: Outcome[] = [];
  let open = items.map((_, index) => index);
  let anyAnswer = false;
  for (let repeat = 1; open.length > 0; repeat += 1) {
    const asked = open.map((index) => items[index] as Item);
    let answers: Outcome[];
    try {
      answers = await send(asked);
      anyAnswer = true;
    } catch (error) {
      const failure = toSluiceError(error);
      if (!anyAnswer && !isRetryable(failure)) throw failure;
      answers = asked.map((item) => failed(item, failure));
    }
    open.forEach((index, at) => {
      outcomes[index] = answers[at] as Outcome;
    });
    open = open.filter((index) => isRepeatable(outcomes[index]));
    const lastFailure = open.length === 0 ? undefined : outcomes[open[0] as number]?.error;
    if (lastFailure === undefined) {
      caller.retry.succeeded();
      break;
    }
    try {
      await caller.waitForRepeat(lastFailure, repeat, deadlineAt);
    } catch (error) {
      if (!anyAnswer) throw error;
      break;
    }
  }
  return outcomes;
}

function isRepeatable(outcome: ItemOutcome | undefined): boolean {
  return outcome?.error !== undefined && isRetryable(outcome.error);
}

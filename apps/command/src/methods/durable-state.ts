/** Answers from a partition's memory, which is ahead of its log. */
import { TurnLostError } from '@sluice/engine';

/** Waits for the commit that memory speaks of. False: the turn is lost. */
export async function isDurable(owned: { readonly durableSequence: number; recall(sequence: number): Promise<unknown> }, sequence: number): Promise<boolean> {
  if (sequence <= owned.durableSequence) return true;
  try {
    await owned.recall(sequence);
    return true;
  } catch (error) {
    if (error instanceof TurnLostError) return false;
    throw error;
  }
}

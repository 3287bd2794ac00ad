/**
 * Waits for the answer to an append, and finds out early that none will come.
 *
 * An append may take seconds: a majority is slow, a disk is busy. So the time alone says little. While the answer is missing, the server is
 * asked on another connection what it knows of the commit.
 *
 *   the server says                       conclusion
 *   nothing, within the time of a look    it is slow or away. Wait: the driver's monitor finds a server that is away.
 *   absent, several times in a row        it answers others, and does not have this one: the request is lost. A large one takes longer to arrive:
 *                                         for each MiB of it the server is asked once more.
 *   accepted, but not by a majority       the append is under way. Wait.
 *   durable, several times in a row       the answer is lost.
 *
 * In either case of loss the outcome counts as unknown, because a lost request may still arrive: the caller reads the log again.
 */
import type { Clock } from '@sluice/ports';

/** After so long without an answer the outcome of an append counts as unknown, whatever the server says. */
export const APPEND_LIMIT_MS = 15_000;
/** Between two looks, and before the first. */
export const LOOK_EVERY_MS = 300;
/** A look that takes longer says nothing. */
export const LOOK_LIMIT_MS = 1_000;
/** So many looks in a row have to agree. */
export const AGREEING_LOOKS = 3;

const MIB = 1024 * 1024;

/** What the server knows of a commit. */
export type Sighting = 'absent' | 'accepted' | 'durable';

/**
 * Resolves and rejects as the append does.
 * @param bytes of the commit.
 * @throws Error if the append has no answer in time, or the server says that none will come.
 */
export function answeredOrLost(append: Promise<void>, look: () => Promise<Sighting>, clock: Clock, bytes: number): Promise<void> {
  const absentLooks = AGREEING_LOOKS + Math.floor(bytes / MIB);
  return new Promise((resolve, reject) => {
    let settled = false;
    let agreeing = 0;
    let last: Sighting | undefined;
    let cancelLook = (): void => undefined;
    const settle = (finish: () => void): void => {
      settled = true;
      cancelLook();
      cancelLimit();
      finish();
    };
    const lose = (why: string): void => settle(() => reject(new Error(`${why}, the outcome is unknown`)));
    const cancelLimit = clock.after(APPEND_LIMIT_MS, () => lose(`no answer within ${APPEND_LIMIT_MS / 1000} s`));

    const conclude = (seen: Sighting | undefined): void => {
      if (settled) return;
      agreeing = seen === last ? agreeing + 1 : 1;
      last = seen;
      const isLost = (seen === 'absent' && agreeing >= absentLooks) || (seen === 'durable' && agreeing >= AGREEING_LOOKS);
      if (isLost)
        lose(seen === 'absent' ? 'the request is lost: the server answers, and does not have the commit' : 'the answer is lost: the server has the commit');
      else lookLater();
    };
    const lookLater = (): void => {
      cancelLook = clock.after(LOOK_EVERY_MS, () => void within(look(), LOOK_LIMIT_MS, clock).then(conclude));
    };

    lookLater();
    append.then(
      () => settle(resolve),
      (error: Error) => settle(() => reject(error)),
    );
  });
}

/** What the look says; undefined: it failed, or took longer. */
function within(look: Promise<Sighting>, limitMs: number, clock: Clock): Promise<Sighting | undefined> {
  return new Promise((resolve) => {
    const cancel = clock.after(limitMs, () => resolve(undefined));
    look.then(resolve, () => resolve(undefined)).finally(cancel);
  });
}

/**
 * Ids of tasks and schedules, and lease tokens. An id names its queue, so that it leads to the queue's partition: "<queue>/<number>" and
 * "<queue>/<name>". A queue's name may have slashes; the last one counts.
 */

export const MAXIMUM_QUEUE_BYTES = 96;
const MAXIMUM_DIGITS = 15;
const DIGIT_0 = 0x30;

export interface TaskName {
  readonly queue: string;
  readonly number: number;
}

export function taskIdOf(queue: string, number: number): string {
  return `${queue}/${number}`;
}

/** Undefined: the text is no task's id. */
export function taskNameOf(taskId: string): TaskName | undefined {
  const slash = taskId.lastIndexOf('/');
  const number = slash <= 0 ? 0 : numberIn(taskId, slash + 1, taskId.length);
  return number === 0 ? undefined : { queue: taskId.slice(0, slash), number };
}

/** Queue and name of a schedule; undefined: the text is no schedule's id. */
export function scheduleNameOf(scheduleId: string): { readonly queue: string; readonly name: string } | undefined {
  const slash = scheduleId.lastIndexOf('/');
  const name = scheduleId.slice(slash + 1);
  return slash <= 0 || name === '' ? undefined : { queue: scheduleId.slice(0, slash), name };
}

/** Names one attempt of one task for ever: the commit that started it is a part of it. */
export interface LeaseName {
  readonly number: number;
  readonly attempt: number;
  /** Sequence of the commit that started the attempt. */
  readonly sequence: number;
}

export function leaseTokenOf({ number, attempt, sequence }: LeaseName): string {
  return `${number}.${attempt}.${sequence}`;
}

/** Undefined: the text is no lease token. */
export function leaseNameOf(token: string): LeaseName | undefined {
  const attemptAt = token.indexOf('.') + 1;
  const sequenceAt = token.indexOf('.', attemptAt) + 1;
  if (attemptAt === 0 || sequenceAt === 0) return undefined;
  const number = numberIn(token, 0, attemptAt - 1);
  const attempt = numberIn(token, attemptAt, sequenceAt - 1);
  const sequence = numberIn(token, sequenceAt, token.length);
  return number === 0 || attempt === 0 || sequence === 0 ? undefined : { number, attempt, sequence };
}

/** A number from 1 on, of 15 digits at most and without leading zeros; 0: the text has none there. */
function numberIn(text: string, from: number, to: number): number {
  if (to <= from || to - from > MAXIMUM_DIGITS || text.charCodeAt(from) === DIGIT_0) return 0;
  let number = 0;
  for (let at = from; at < to; at += 1) {
    const digit = text.charCodeAt(at) - DIGIT_0;
    if (digit < 0 || digit > 9) return 0;
    number = number * 10 + digit;
  }
  return number;
}

/**
 * Ids of tasks and schedules, and lease tokens. An id names its queue, so that it leads to the queue's partition: "<queue>/<number>" and
 * "<queue>/<name>". A queue's name may have slashes; the last one counts.
 */

export const MAXIMUM_QUEUE_BYTES = 96;
const NUMBER = /^[1-9]\d{0,14}$/;

export interface TaskName {
  readonly queue: string;
  readonly number: number;
}

export function taskIdOf(queue: string, number: number): string {
  return `${queue}/${number}`;
}

/** Undefined: the text is no task's id. */
export function taskNameOf(taskId: string): TaskName | undefined {
  const { queue, rest } = splitId(taskId);
  return queue === '' || !NUMBER.test(rest) ? undefined : { queue, number: Number(rest) };
}

/** Queue and name of a schedule; undefined: the text is no schedule's id. */
export function scheduleNameOf(scheduleId: string): { readonly queue: string; readonly name: string } | undefined {
  const { queue, rest } = splitId(scheduleId);
  return queue === '' || rest === '' ? undefined : { queue, name: rest };
}

function splitId(id: string): { readonly queue: string; readonly rest: string } {
  const slash = id.lastIndexOf('/');
  return slash === -1 ? { queue: '', rest: '' } : { queue: id.slice(0, slash), rest: id.slice(slash + 1) };
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
  const parts = token.split('.');
  if (parts.length !== 3 || !parts.every((part) => NUMBER.test(part))) return undefined;
  const [number, attempt, sequence] = parts.map(Number) as [number, number, number];
  return { number, attempt, sequence };
}

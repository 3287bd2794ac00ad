/** How the verification reads events of business days: by name, as they were written. */
import { branchOfRunId } from '@sluice/domain/businessday';
import { textOfDate } from '@sluice/domain/day';
import type { DecodedCommit, EventRecord } from '@sluice/protocol';
import { businessDayEvents } from '@sluice/protocol/businessday';

/** The event if it has one of these names. */
export function readOneOf<Name extends keyof Messages>(names: readonly Name[], event: EventRecord, commit: DecodedCommit): Messages[Name] | undefined {
  for (const name of names) {
    const message = businessDayEvents.readOnly(name, event, commit);
    if (message !== undefined) return message as Messages[Name];
  }
  return undefined;
}
export type Messages = {
  readonly [Name in Parameters<typeof businessDayEvents.readOnly>[0]]: NonNullable<ReturnType<typeof businessDayEvents.readOnly<Name>>>;
};

export const runKey = ({ branchId, date }: { readonly branchId: string; readonly date: number }): string => [branchId, textOfDate(date)].join('/');

export const nameOf = (names: Readonly<Record<number, string>>, value: number): string => (names[value] ?? '').replace(/^(RUN_GOAL|STEP_KIND|JOB)_/, '');

/** The branch of a key that is the id of a run; what is no such id is its own. */
export const branchOf = (key: string): string => branchOfRunId(key) ?? key;

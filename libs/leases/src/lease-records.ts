/** What the entries of the lease table say, as JSON, and their keys. */
import type { LeaseHolder } from '@sluice/ports';

/** A session is one run of one process. It is alive as long as its entry is rewritten. */
export type SessionRecord = { readonly state: 'alive'; readonly holder: LeaseHolder; readonly ttlMs: number } | { readonly state: 'ended' };

export type LeaseRecord =
  | {
      readonly state: 'held';
      readonly holder: LeaseHolder;
      readonly session: string;
      /** Absent in the entry by which the lease was taken: its revision is the epoch. */
      readonly epoch?: number;
      /** Of the session, in case that the session's entry is gone. */
      readonly ttlMs: number;
    }
  | {
      readonly state: 'free';
      /** Id of the instance that is to have it next. */
      readonly successor?: string;
    };

const SESSION_PREFIX = 'session/';
const LEASE_PREFIX = 'lease/';

export const sessionKey = (session: string): string => SESSION_PREFIX + session;
export const leaseKey = (name: string): string => LEASE_PREFIX + name;

export type ParsedEntry =
  | { readonly of: 'session'; readonly session: string; readonly record: SessionRecord }
  | { readonly of: 'lease'; readonly name: string; readonly record: LeaseRecord };

/** Undefined: the entry is none of ours. */
export function parseEntry(key: string, value: string): ParsedEntry | undefined {
  if (key.startsWith(SESSION_PREFIX)) return { of: 'session', session: key.slice(SESSION_PREFIX.length), record: JSON.parse(value) as SessionRecord };
  if (key.startsWith(LEASE_PREFIX)) return { of: 'lease', name: key.slice(LEASE_PREFIX.length), record: JSON.parse(value) as LeaseRecord };
  return undefined;
}

export function encodeRecord(record: SessionRecord | LeaseRecord): string {
  return JSON.stringify(record);
}

/**
 * What a process has seen of the lease table, and since when.
 *
 * A session is over when it was ended, or when its entry did not change for the session's own time to live by the observer's monotonic
 * clock. The clocks of other machines do not matter. The price: an observer that begins to watch, or begins again, grants every session
 * its whole time to live, because it cannot know how old an entry is.
 *
 *   session's entry        what the observer concludes
 *   alive, changes         alive
 *   alive, unchanged       alive for its time to live, then over
 *   ended                  over
 *   gone, or never seen    alive for the lease's time to live, then over
 *   changes again          alive
 */
import type { LeaseHolder, LeaseTableEntry } from '@sluice/ports';
import { type LeaseRecord, parseEntry, type SessionRecord } from './lease-records';

export interface ObservedLease {
  /** 0: the table has no such entry any more. */
  readonly revision: number;
  readonly record: LeaseRecord;
  readonly observedAtMs: number;
}

export interface ObservedSession {
  /** 0: the table has no such entry. */
  revision: number;
  ttlMs: number;
  /** When its newest revision was seen first, or since when this process watches. */
  observedAtMs: number;
  /** Its entry changed while this process watched. */
  confirmed: boolean;
  ended: boolean;
  /** It was judged to have run out. */
  ranOut: boolean;
}

/** What became known by an entry. `turned`: what the observer concludes of the session has changed. */
export type Observation = { readonly of: 'session'; readonly session: string; readonly turned: boolean } | { readonly of: 'lease'; readonly name: string };

export class ObservedTable {
  readonly #leases = new Map<string, ObservedLease>();
  readonly #sessions = new Map<string, ObservedSession>();

  get leases(): ReadonlyMap<string, ObservedLease> {
    return this.#leases;
  }

  get sessions(): ReadonlyMap<string, ObservedSession> {
    return this.#sessions;
  }

  /** Begins to watch anew. What is gone without having been released is kept for its time to live: its holder may write it again. */
  reset(entries: readonly LeaseTableEntry[], nowMs: number): void {
    const before = { leases: new Map(this.#leases), sessions: new Map(this.#sessions) };
    this.#leases.clear();
    this.#sessions.clear();
    for (const entry of entries) this.#put(entry, nowMs);
    for (const [session, { revision }] of before.sessions) {
      const now = this.#sessions.get(session);
      if (now !== undefined && revision !== 0) now.confirmed = now.revision !== revision;
    }
    for (const [name, lease] of before.leases) {
      if (this.#leases.has(name) || lease.record.state === 'free') continue;
      this.#leases.set(name, { ...lease, revision: 0 });
      this.#expectSession(lease.record.session, lease.record.ttlMs, nowMs);
    }
  }

  /** Takes in an entry that was written. Undefined: it is old, or none of ours. */
  apply(entry: LeaseTableEntry, nowMs: number): Observation | undefined {
    const observation = this.#put(entry, nowMs);
    if (observation?.of === 'session') (this.#sessions.get(observation.session) as ObservedSession).confirmed = true;
    return observation;
  }

  /** The table has no entry for the lease. One whose session is alive is kept for the session's time: its holder may write it again. */
  vanished(name: string): void {
    const lease = this.#leases.get(name);
    if (lease?.record.state === 'held' && !this.isOver(lease.record.session)) this.#leases.set(name, { ...lease, revision: 0 });
    else this.#leases.delete(name);
  }

  /** Grants every session its whole time to live from now on. */
  restart(nowMs: number): void {
    for (const session of this.#sessions.values()) session.observedAtMs = nowMs;
  }

  isOver(session: string): boolean {
    const observed = this.#sessions.get(session);
    return observed !== undefined && (observed.ended || observed.ranOut);
  }

  /** Marks the sessions whose time has run out; returns them. */
  judge(nowMs: number, except: string | undefined): string[] {
    const ranOut: string[] = [];
    for (const [session, observed] of this.#sessions) {
      if (session === except || observed.ended || observed.ranOut || nowMs < observed.observedAtMs + observed.ttlMs) continue;
      observed.ranOut = true;
      ranOut.push(session);
    }
    return ranOut;
  }

  /** When the next session runs out, unless it changes. Undefined: none is left that could. */
  nextDeadlineMs(except: string | undefined): number | undefined {
    let next: number | undefined;
    for (const [session, { observedAtMs, ttlMs, ended, ranOut }] of this.#sessions) {
      if (session === except || ended || ranOut) continue;
      next = Math.min(next ?? Number.POSITIVE_INFINITY, observedAtMs + ttlMs);
    }
    return next;
  }

  /** Names of the leases that the session has. */
  leasesOf(session: string): string[] {
    return [...this.#leases].filter(([, { record }]) => record.state === 'held' && record.session === session).map(([name]) => name);
  }

  /** Drops what is free or over for longer than the table keeps it; returns the names of leases that were dropped. */
  prune(nowMs: number, keptMs: number): string[] {
    const dropped: string[] = [];
    for (const [name, { record, observedAtMs }] of this.#leases) {
      if (record.state === 'held' || nowMs - observedAtMs < keptMs) continue;
      this.#leases.delete(name);
      dropped.push(name);
    }
    const referred = new Set([...this.#leases.values()].map(({ record }) => (record.state === 'held' ? record.session : undefined)));
    for (const [session, { ended, ranOut }] of this.#sessions) if ((ended || ranOut) && !referred.has(session)) this.#sessions.delete(session);
    return dropped;
  }

  #put(entry: LeaseTableEntry, nowMs: number): Observation | undefined {
    const parsed = parseEntry(entry.key, entry.value);
    if (parsed === undefined) return undefined;
    if (parsed.of === 'session') return this.#putSession(parsed.session, parsed.record, entry.revision, nowMs);
    if (entry.revision <= (this.#leases.get(parsed.name)?.revision ?? 0)) return undefined;
    this.#leases.set(parsed.name, { revision: entry.revision, record: parsed.record, observedAtMs: nowMs });
    if (parsed.record.state === 'held') this.#expectSession(parsed.record.session, parsed.record.ttlMs, nowMs);
    return { of: 'lease', name: parsed.name };
  }

  #putSession(session: string, record: SessionRecord, revision: number, nowMs: number): Observation | undefined {
    const before = this.#sessions.get(session);
    if (revision <= (before?.revision ?? 0)) return undefined;
    const ended = record.state === 'ended';
    const ttlMs = ended ? (before?.ttlMs ?? 0) : record.ttlMs;
    this.#sessions.set(session, { revision, ttlMs, observedAtMs: nowMs, confirmed: false, ended, ranOut: false });
    return { of: 'session', session, turned: before?.confirmed !== true || before.ranOut || before.ended !== ended };
  }

  #expectSession(session: string, ttlMs: number, nowMs: number): void {
    if (this.#sessions.has(session)) return;
    this.#sessions.set(session, { revision: 0, ttlMs, observedAtMs: nowMs, confirmed: false, ended: false, ranOut: false });
  }
}

/** The epoch of a held lease: it is written, or it is the revision by which the lease was taken. */
export function epochOf(lease: ObservedLease): number {
  return lease.record.state === 'held' ? (lease.record.epoch ?? lease.revision) : 0;
}

export function holderOf(lease: ObservedLease): LeaseHolder | undefined {
  return lease.record.state === 'held' ? lease.record.holder : undefined;
}

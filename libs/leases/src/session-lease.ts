/**
 * The leases of one process, over a lease table.
 *
 * The process has one session, which it renews by rewriting one entry three times in its time to live. A lease names its session and is
 * in force while the session is alive, so that keeping a thousand leases costs as much as keeping one. Everything is changed by
 * compare-and-set: of two processes that try, one succeeds. Everything is read from one watched copy of the table.
 *
 *   session    renewed    ended by another, or by `suspend`          entry gone           service away
 *   alive      alive      a new session; its leases are rewritten    written again        its leases lapse after the time to live
 *
 * Another process takes a lease whose session is over by its own monotonic clock: it ends the session first, which fails if the holder has
 * renewed it meanwhile. A holder whose session was ended begins a new one and rewrites the entries of its leases; those that
 * another process has taken in between are lost.
 *
 * When the lease service was away, every process grants all sessions their whole time to live again: holders come first.
 */
import { randomUUID } from 'node:crypto';
import {
  type Clock,
  type HeldLease,
  type Lease,
  type LeaseHolder,
  type LeaseListener,
  type LeaseTable,
  type LeaseTableEntry,
  type LeaseTableWatch,
  systemClock,
} from '@sluice/ports';
import { LeaseEvents } from './lease-events';
import { encodeRecord, leaseKey, type LeaseRecord, sessionKey, type SessionRecord } from './lease-records';
import { epochOf, ObservedTable } from './observed-table';

/** A session is renewed so many times before it runs out. */
const RENEWALS_PER_TTL = 3;
/** While the service does not answer the renewal is tried so many times in the time to live. */
const ATTEMPTS_PER_TTL = 12;
/** Writes of the session's entry in one renewal: each follows an answer that says what the entry is. */
const MAXIMUM_RENEWAL_ATTEMPTS = 3;
/** Entries of leases that are written at the same time. */
const MAXIMUM_WRITES_AT_ONCE = 64;
/** The table may forget entries that nobody has written for ten minutes: leases are written again before. */
const REWRITE_AFTER_MS = 200_000;
const FORGOTTEN_AFTER_MS = 600_000;
const MAXIMUM_TTL_MS = 300_000;

export interface SessionLeaseOptions {
  readonly table: LeaseTable;
  readonly holder: LeaseHolder;
  /** 1 ms to 5 minutes. */
  readonly ttlMs: number;
  readonly clock?: Clock;
}

interface Session {
  readonly id: string;
  revision: number;
  /** When the last renewal that succeeded was sent. */
  renewedAtMs: number;
}

interface Kept {
  readonly lease: HeldLease;
  revision: number;
  /** Id of the session that the entry names. */
  session: string;
  writtenAtMs: number;
}

export class SessionLease implements Lease {
  readonly holder: LeaseHolder;
  readonly ttlMs: number;
  readonly #table: LeaseTable;
  readonly #clock: Clock;
  readonly #events = new LeaseEvents();
  readonly #observed = new ObservedTable();
  readonly #kept = new Map<string, Kept>();
  readonly #acquiring = new Map<string, Promise<HeldLease | undefined>>();
  readonly #releasing = new Set<string>();
  /** Whose entries could not be freed yet, and for which instance. */
  readonly #unreleased = new Map<string, string | undefined>();
  readonly #watch: LeaseTableWatch;
  #session: Session | undefined;
  #openingSession: Promise<Session> | undefined;
  #watching = false;
  #renewing = true;
  /** The leases were told to have lapsed, and the session was not renewed since. */
  #lapsed = false;
  #suspended = false;
  #closed = false;
  #firstSnapshot!: () => void;
  readonly #ready: Promise<void>;
  #beat: Promise<void> | undefined;
  #beatAgain = false;
  #cancelBeat = (): void => undefined;
  #cancelJudgement = (): void => undefined;
  /** The oldest of our writes that the watch has not shown yet. */
  #awaitedEcho: { readonly revision: number; readonly sinceMs: number } | undefined;

  private constructor({ table, holder, ttlMs, clock = systemClock }: SessionLeaseOptions) {
    if (!(ttlMs > 0 && ttlMs <= MAXIMUM_TTL_MS)) throw new RangeError(`a time to live of ${ttlMs} ms: 1 to ${MAXIMUM_TTL_MS} is possible`);
    this.holder = { id: holder.id, address: holder.address };
    this.ttlMs = ttlMs;
    this.#table = table;
    this.#clock = clock;
    this.#ready = new Promise((resolve) => {
      this.#firstSnapshot = resolve;
    });
    this.#watch = table.watch({
      snapshot: (entries) => this.#took(entries),
      changed: (entry) => this.#changed(entry),
      broken: (error) => this.#watchBroke(error),
    });
  }

  /** Resolves when the table is watched. `kept`: leases of an earlier session of this process; they are taken up, or told to be lost. */
  static async open(options: SessionLeaseOptions, kept: readonly HeldLease[] = []): Promise<SessionLease> {
    const lease = new SessionLease(options);
    await lease.#ready;
    for (const held of kept) lease.#kept.set(held.name, { lease: held, revision: 0, session: '', writtenAtMs: 0 });
    if (kept.length > 0) lease.#beatNow();
    return lease;
  }

  get connected(): boolean {
    return !this.#closed && this.#watching && !this.#events.away;
  }

  watch(listener: LeaseListener): () => void {
    return this.#events.watch(listener);
  }

  acquire(name: string): Promise<HeldLease | undefined> {
    const kept = this.#kept.get(name);
    if (kept !== undefined) return Promise.resolve(kept.lease);
    const acquiring = this.#acquiring.get(name) ?? this.#acquire(name).finally(() => this.#acquiring.delete(name));
    this.#acquiring.set(name, acquiring);
    return acquiring;
  }

  async release(held: HeldLease, successor?: string): Promise<void> {
    const kept = this.#kept.get(held.name);
    if (kept === undefined || kept.lease.epoch !== held.epoch) return;
    this.#kept.delete(held.name);
    this.#releasing.add(held.name);
    try {
      await this.#free(held.name, kept.revision, successor);
    } catch {
      this.#unreleased.set(held.name, successor);
    } finally {
      this.#releasing.delete(held.name);
    }
  }

  async read(name: string): Promise<HeldLease | undefined> {
    this.#assertReachable();
    const entry = await this.#table.get(leaseKey(name), this.ttlMs);
    if (entry !== undefined) this.#see(entry);
    const lease = this.#observed.leases.get(name);
    if (lease?.record.state !== 'held' || this.#observed.isOver(lease.record.session)) return undefined;
    return { name, holder: lease.record.holder, epoch: epochOf(lease) };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#suspended = true;
    await this.#endSession();
    this.#closed = true;
    this.#cancelBeat();
    this.#cancelJudgement();
    await this.#watch.stop();
    await this.#beat;
  }

  /** Ends the session: the process cannot do what it holds leases for. Others may take them at once. */
  async suspend(): Promise<void> {
    if (this.#suspended) return;
    this.#suspended = true;
    await this.#endSession();
  }

  /** The process is able again: it takes up what nobody has taken. */
  resume(): void {
    this.#suspended = false;
    if (this.#kept.size > 0) this.#beatNow();
  }

  // ---- taking and giving back ----

  async #acquire(name: string): Promise<HeldLease | undefined> {
    this.#assertReachable();
    const session = await this.#ensureSession();
    // The copy may be behind: what cannot be taken by it, or is refused by the table, is read and judged once more.
    for (let attempt = 0; attempt < 2; attempt += 1) {
      if (attempt > 0) await this.#readAgain(name);
      const seen = this.#observed.leases.get(name);
      if (seen?.record.state === 'held' && !(await this.#mayTake(seen.record))) continue;
      const record: LeaseRecord = { state: 'held', holder: this.holder, session: session.id, ttlMs: this.ttlMs };
      const revision = await this.#put(leaseKey(name), record, seen?.revision ?? 0);
      if (revision !== undefined) {
        this.#unreleased.delete(name);
        const lease: HeldLease = { name, holder: this.holder, epoch: revision };
        this.#kept.set(name, { lease, revision, session: session.id, writtenAtMs: this.#clock.monotonicMs() });
        this.#tellOf(name);
        return lease;
      }
    }
    return undefined;
  }

  /** Whether the holder is over, or an earlier process of this instance. Ends the holder's session if its time has run out. */
  async #mayTake(record: Extract<LeaseRecord, { state: 'held' }>): Promise<boolean> {
    if (record.holder.id === this.holder.id) return true;
    if (!this.#observed.isOver(record.session)) return false;
    const session = this.#observed.sessions.get(record.session);
    if (session === undefined || session.ended) return true;
    const ended = await this.#put(sessionKey(record.session), { state: 'ended' }, session.revision);
    if (ended !== undefined) return true;
    const entry = await this.#table.get(sessionKey(record.session), this.ttlMs);
    if (entry !== undefined) this.#see(entry);
    return this.#observed.isOver(record.session);
  }

  async #free(name: string, revision: number, successor: string | undefined): Promise<void> {
    const freed = await this.#put(leaseKey(name), { state: 'free', ...(successor !== undefined && { successor }) }, revision);
    if (freed === undefined) await this.#readAgain(name);
    this.#unreleased.delete(name);
  }

  /** Writes and takes note of what was written. Undefined: the table has another revision. */
  async #put(key: string, record: SessionRecord | LeaseRecord, previousRevision: number, limitMs = this.ttlMs): Promise<number | undefined> {
    const value = encodeRecord(record);
    const revision = await this.#table.put(key, value, previousRevision, limitMs);
    if (revision === undefined) return undefined;
    if (this.#watching) this.#awaitedEcho ??= { revision, sinceMs: this.#clock.monotonicMs() };
    this.#see({ key, value, revision });
    return revision;
  }

  async #readAgain(name: string): Promise<void> {
    const entry = await this.#table.get(leaseKey(name), this.ttlMs);
    if (entry !== undefined) {
      this.#see(entry);
      return;
    }
    this.#observed.vanished(name);
    if (!this.#observed.leases.has(name) && !this.#kept.has(name)) this.#events.tell({ kind: 'free', name, successor: undefined });
  }

  // ---- the session ----

  async #ensureSession(): Promise<Session> {
    if (this.#suspended) throw new Error('this process is taken for dead: its main thread does not answer');
    if (this.#session !== undefined) return this.#session;
    this.#openingSession ??= this.#openSession().finally(() => {
      this.#openingSession = undefined;
    });
    return this.#openingSession;
  }

  async #openSession(): Promise<Session> {
    const id = randomUUID();
    const renewedAtMs = this.#clock.monotonicMs();
    const revision = await this.#put(sessionKey(id), this.#aliveRecord(), 0);
    if (revision === undefined) throw new Error('the lease table has a session that this process did not open');
    this.#session = { id, revision, renewedAtMs };
    this.#scheduleBeat(this.ttlMs / RENEWALS_PER_TTL);
    return this.#session;
  }

  async #endSession(): Promise<void> {
    const session = this.#session;
    this.#session = undefined;
    this.#cancelBeat();
    await this.#beat;
    this.#lapse();
    if (session === undefined) return;
    await this.#put(sessionKey(session.id), { state: 'ended' }, session.revision).catch(() => undefined);
  }

  #aliveRecord(): SessionRecord {
    return { state: 'alive', holder: this.holder, ttlMs: this.ttlMs };
  }

  #scheduleBeat(delayMs: number): void {
    this.#cancelBeat();
    if (!this.#closed && !this.#suspended) this.#cancelBeat = this.#clock.after(delayMs, () => this.#beatNow());
  }

  #beatNow(): void {
    if (this.#closed || this.#suspended) return;
    if (this.#beat !== undefined) {
      this.#beatAgain = true;
      return;
    }
    this.#cancelBeat();
    this.#beat = this.#renewAndTidy().finally(() => {
      this.#beat = undefined;
      if (this.#beatAgain) {
        this.#beatAgain = false;
        this.#beatNow();
      }
    });
  }

  async #renewAndTidy(): Promise<void> {
    const startMs = this.#clock.monotonicMs();
    try {
      await this.#renew(startMs);
      this.#lapsed = false;
      this.#renewing = true;
      this.#updateService();
    } catch (error) {
      if (this.#session !== undefined && this.#clock.monotonicMs() - this.#session.renewedAtMs >= this.ttlMs) this.#lapse();
      this.#renewing = false;
      this.#updateService(error as Error);
      this.#scheduleBeat(this.ttlMs / ATTEMPTS_PER_TTL);
      return;
    }
    this.#scheduleBeat(Math.max(0, this.ttlMs / RENEWALS_PER_TTL - (this.#clock.monotonicMs() - startMs)));
    void this.#tidy();
  }

  async #renew(startMs: number, attempt = 1): Promise<void> {
    const session = this.#session;
    if (session === undefined) {
      if (this.#kept.size > 0 && !this.#suspended) await this.#ensureSession();
      return;
    }
    const limitMs = this.ttlMs / RENEWALS_PER_TTL;
    const revision = await this.#put(sessionKey(session.id), this.#aliveRecord(), session.revision, limitMs);
    if (revision !== undefined) {
      session.revision = revision;
      session.renewedAtMs = startMs;
      return;
    }
    const entry = await this.#table.get(sessionKey(session.id), limitMs);
    if (this.#session !== session) return;
    if (entry === undefined) {
      // The table was made anew, or forgot the entry while the service was away. The leases are looked at when the session is back.
      session.revision = 0;
      for (const kept of this.#kept.values()) kept.session = '';
    } else if ((JSON.parse(entry.value) as SessionRecord).state === 'alive') {
      // A renewal whose answer was lost.
      session.revision = entry.revision;
    } else {
      this.#see(entry);
      this.#session = undefined;
      this.#lapse();
    }
    if (attempt === MAXIMUM_RENEWAL_ATTEMPTS) throw new Error('the entry of the session changes again and again');
    await this.#renew(startMs, attempt + 1);
  }

  /** Others may take the leases from now on. */
  #lapse(): void {
    this.#lapsed = true;
    for (const { lease } of this.#kept.values()) this.#events.tell({ kind: 'lapsed', lease });
  }

  /** Brings the entries of leases in line with what this process holds. Never rejects: what fails is done at the next renewal. */
  async #tidy(): Promise<void> {
    const session = this.#session;
    if (session === undefined) return;
    const nowMs = this.#clock.monotonicMs();
    this.#checkEcho(nowMs);
    for (const name of this.#observed.prune(nowMs, FORGOTTEN_AFTER_MS)) this.#events.forget(name);
    const work: (() => Promise<void>)[] = [];
    for (const kept of this.#kept.values()) {
      if (kept.session !== session.id || nowMs - kept.writtenAtMs >= REWRITE_AFTER_MS) work.push(() => this.#rewrite(kept, session));
      else this.#tellOf(kept.lease.name);
    }
    for (const name of this.#observed.leasesOf(session.id)) {
      if (this.#kept.has(name) || this.#acquiring.has(name) || this.#releasing.has(name)) continue;
      const { revision } = this.#observed.leases.get(name) as { revision: number };
      work.push(() => this.#free(name, revision, this.#unreleased.get(name)));
    }
    await allBounded(work, MAXIMUM_WRITES_AT_ONCE);
  }

  /** Writes the entry of a lease that is held in the session's name. The lease is lost if another process has taken it. */
  async #rewrite(kept: Kept, session: Session): Promise<void> {
    const { lease } = kept;
    const isKept = (): boolean => this.#kept.get(lease.name) === kept && this.#session === session;
    const record: LeaseRecord = { state: 'held', holder: this.holder, session: session.id, epoch: lease.epoch, ttlMs: this.ttlMs };
    for (let attempt = 0; attempt < 2 && isKept(); attempt += 1) {
      const nowMs = this.#clock.monotonicMs();
      const revision = await this.#put(leaseKey(lease.name), record, kept.revision);
      if (revision !== undefined) {
        Object.assign(kept, { revision, session: session.id, writtenAtMs: nowMs });
        // Released meanwhile, when the entry had another revision.
        if (this.#kept.get(lease.name) === kept) this.#tellOf(lease.name);
        return;
      }
      const entry = await this.#table.get(leaseKey(lease.name), this.ttlMs);
      kept.revision = entry?.revision ?? 0;
      if (entry === undefined) continue;
      this.#see(entry);
      if (!this.#isOurs(lease)) break;
    }
    if (isKept()) this.#lose(kept);
  }

  /** Whether the newest entry that was seen says that this instance holds the lease. */
  #isOurs(lease: HeldLease): boolean {
    const seen = this.#observed.leases.get(lease.name);
    return seen?.record.state === 'held' && seen.record.holder.id === this.holder.id && epochOf(seen) === lease.epoch;
  }

  #lose(kept: Kept): void {
    this.#kept.delete(kept.lease.name);
    this.#events.tell({ kind: 'lost', lease: kept.lease });
    this.#tellOf(kept.lease.name);
  }

  // ---- the watched copy ----

  #took(entries: readonly LeaseTableEntry[]): void {
    this.#observed.reset(entries, this.#clock.monotonicMs());
    this.#watching = true;
    this.#awaitedEcho = undefined;
    this.#firstSnapshot();
    for (const name of this.#observed.leases.keys()) this.#noticed(name);
    // A table that was made anew lacks what this process holds, or says otherwise.
    for (const kept of this.#kept.values()) if (this.#observed.leases.get(kept.lease.name)?.revision !== kept.revision) kept.session = '';
    this.#updateService();
    if (this.#session !== undefined) this.#beatNow();
  }

  #changed(entry: LeaseTableEntry): void {
    if (this.#awaitedEcho !== undefined && entry.revision >= this.#awaitedEcho.revision) this.#awaitedEcho = undefined;
    this.#see(entry);
  }

  #watchBroke(error: Error): void {
    this.#watching = false;
    this.#awaitedEcho = undefined;
    this.#updateService(error);
  }

  /** Takes in an entry, however it was learned. */
  #see(entry: LeaseTableEntry): void {
    const observation = this.#observed.apply(entry, this.#clock.monotonicMs());
    if (observation === undefined) return;
    if (observation.of === 'lease') this.#noticed(observation.name);
    else if (observation.turned) {
      for (const name of this.#observed.leasesOf(observation.session)) this.#tellOf(name);
      // Ended by another process.
      if (observation.session === this.#session?.id && this.#observed.isOver(observation.session)) this.#beatNow();
    } else return;
    this.#scheduleJudgement();
  }

  #noticed(name: string): void {
    const kept = this.#kept.get(name);
    const seen = this.#observed.leases.get(name);
    if (kept !== undefined && seen !== undefined && seen.revision > kept.revision && kept.revision > 0 && !this.#isOurs(kept.lease)) this.#lose(kept);
    else this.#tellOf(name);
  }

  #tellOf(name: string): void {
    const seen = this.#observed.leases.get(name);
    if (seen === undefined) return;
    const { record } = seen;
    const kept = this.#kept.get(name);
    if (record.state === 'free') {
      if (kept === undefined) this.#events.tell({ kind: 'free', name, successor: record.successor });
      return;
    }
    if (kept !== undefined) {
      if (kept.session === this.#session?.id && !this.#lapsed) this.#events.tell({ kind: 'held', lease: kept.lease, confirmed: true });
      return;
    }
    if (this.#observed.isOver(record.session)) this.#events.tell({ kind: 'free', name, successor: undefined });
    else {
      const confirmed = this.#observed.sessions.get(record.session)?.confirmed ?? false;
      this.#events.tell({ kind: 'held', lease: { name, holder: record.holder, epoch: epochOf(seen) }, confirmed });
    }
  }

  /** A write of ours that the watch does not show within a renewal's time says that the watch has stalled. */
  #checkEcho(nowMs: number): void {
    if (this.#awaitedEcho === undefined || nowMs - this.#awaitedEcho.sinceMs < this.ttlMs / RENEWALS_PER_TTL) return;
    this.#awaitedEcho = undefined;
    this.#watch.restart('the watch does not show what was written');
  }

  #updateService(error?: Error): void {
    if (this.#closed) return;
    if (this.#watching && this.#renewing) {
      if (this.#events.away) this.#observed.restart(this.#clock.monotonicMs());
      this.#events.tell({ kind: 'back' });
    } else this.#events.tell({ kind: 'away', error: error ?? new Error('the lease service cannot be reached') });
    this.#scheduleJudgement();
  }

  #scheduleJudgement(): void {
    this.#cancelJudgement();
    if (!this.connected) return;
    const deadlineMs = this.#observed.nextDeadlineMs(this.#session?.id);
    if (deadlineMs === undefined) return;
    this.#cancelJudgement = this.#clock.after(Math.max(1, deadlineMs - this.#clock.monotonicMs()), () => {
      for (const session of this.#observed.judge(this.#clock.monotonicMs(), this.#session?.id))
        for (const name of this.#observed.leasesOf(session)) this.#tellOf(name);
      this.#scheduleJudgement();
    });
  }

  #assertReachable(): void {
    if (this.#closed) throw new Error('the leases are closed');
    if (!this.#watching) throw new Error('the lease service cannot be reached');
  }
}

/** Does all of it, so much at a time. What rejects is left. */
async function allBounded(work: readonly (() => Promise<void>)[], atOnce: number): Promise<void> {
  let next = 0;
  const workers = Array.from({ length: Math.min(atOnce, work.length) }, async () => {
    for (let at = next++; at < work.length; at = next++) await (work[at] as () => Promise<void>)().catch(() => undefined);
  });
  await Promise.all(workers);
}

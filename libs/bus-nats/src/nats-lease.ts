/**
 * Leases in a NATS key-value bucket, changed only by compare-and-set on the entry's revision: of two who try, one succeeds.
 *
 *   entry              acquire by another            renew or release by its holder
 *   none               taken                         lost
 *   held, in time      refused                       done
 *   held, run out      taken, with a higher epoch    lost
 *
 * Whether a lease has run out is judged by the clock of who asks, against the time that its holder wrote. Clocks differ, so
 * an entry that was seen to change less than its time to live ago is never taken over: its holder is alive, whatever the
 * clocks say. The epoch is the revision at which the lease was taken, which rises as long as the bucket exists. The fence in the log makes
 * everything that can still go wrong here harmless.
 */
import { DiscardPolicy, RetentionPolicy, StorageType } from '@nats-io/jetstream';
import { type KV, type KvEntry, Kvm } from '@nats-io/kv';
import { nanos } from '@nats-io/transport-node';

import { type Clock, type HeldLease, type Lease, type LeaseHolder, systemClock } from '@sluice/ports';

import { isBehind, isStreamGone } from './jetstream-errors';
import { decodeKey, encodeKey } from './lease-key';
import type { NatsLink } from './nats-link';
import { ensureStream } from './stream-configuration';

const DEPLOYMENT = /^[A-Za-z0-9_-]{1,64}$/;
/** Entries that nobody renewed for so long go away by themselves. */
const BUCKET_TTL_MS = 600_000;

export interface NatsLeaseOptions {
  readonly link: NatsLink;
  readonly deployment: string;
  /** Copies in a cluster of servers: 1, 3 or 5. */
  readonly replicas?: number;
  readonly clock?: Clock;
}

/** What an entry says. */
interface LeaseRecord {
  readonly holder: LeaseHolder;
  /** Absent in the entry by which the lease was taken: its revision is the epoch. */
  readonly epoch?: number;
  readonly ttlMs: number;
  readonly expiresAtMs: number;
}

interface SeenEntry {
  readonly revision: number;
  /** When it was last looked at. */
  readonly lookedAtMs: number;
  /** It was written after this moment: when the look before it found another revision. Undefined: it was never seen to change. */
  readonly changedAfterMs: number | undefined;
}

interface FoundLease {
  readonly revision: number;
  readonly held: HeldLease;
  readonly ttlMs: number;
}

export class NatsLease implements Lease {
  readonly #clock: Clock;
  /** What was seen of entries, by our clock. */
  readonly #seen = new Map<string, SeenEntry>();
  #bucket: Promise<KV> | undefined;
  #closed = false;

  private constructor(private readonly options: NatsLeaseOptions) {
    this.#clock = options.clock ?? systemClock;
  }

  /** Makes the bucket if it is missing. Throws StreamMismatchError for one that is configured otherwise. */
  static async open(options: NatsLeaseOptions): Promise<NatsLease> {
    if (!DEPLOYMENT.test(options.deployment)) throw new RangeError(`${JSON.stringify(options.deployment)} is no name of a deployment`);
    const lease = new NatsLease(options);
    await lease.#withBucket(async () => undefined);
    return lease;
  }

  get connected(): boolean {
    return !this.#closed && this.options.link.connected;
  }

  async acquire(name: string, holder: LeaseHolder, ttlMs: number): Promise<HeldLease | undefined> {
    if (ttlMs <= 0 || ttlMs > BUCKET_TTL_MS / 2) throw new RangeError(`a lease of ${ttlMs} ms: 1 to ${BUCKET_TTL_MS / 2} is possible`);
    const entry = await this.#entry(name);
    const found = toFound(name, entry);
    if (found !== undefined && this.#inForce(found)) {
      return found.held.holder.id === holder.id ? this.#write(name, holder, ttlMs, found.revision, found.held.epoch) : undefined;
    }
    return this.#write(name, holder, ttlMs, entry?.revision ?? 0, undefined);
  }

  async renew(held: HeldLease, ttlMs: number): Promise<HeldLease | undefined> {
    const found = toFound(held.name, await this.#entry(held.name));
    if (found === undefined || !isSame(found.held, held) || this.#nowMs() >= found.held.expiresAtMs) return undefined;
    return this.#write(held.name, held.holder, ttlMs, found.revision, held.epoch);
  }

  async release(held: HeldLease): Promise<void> {
    try {
      const found = toFound(held.name, await this.#entry(held.name));
      if (found === undefined || !isSame(found.held, held)) return;
      await this.#withBucket((bucket) => bucket.delete(encodeKey(held.name), { previousSeq: found.revision }));
    } catch {
      // Out of reach or lost meanwhile: it runs out by itself.
    }
  }

  async read(name: string): Promise<HeldLease | undefined> {
    const found = toFound(name, await this.#entry(name));
    return found !== undefined && this.#inForce(found) ? found.held : undefined;
  }

  async list(prefix: string): Promise<HeldLease[]> {
    const entries = await this.#withBucket(async (bucket) => {
      const all: KvEntry[] = [];
      for await (const entry of await bucket.history()) all.push(entry);
      return all;
    });
    return entries
      .map((entry) => toFound(decodeKey(entry.key), this.#observe(entry)))
      .filter((found) => found !== undefined)
      .filter((found) => found.held.name.startsWith(prefix) && this.#inForce(found))
      .map(({ held }) => held);
  }

  /** The link stays; it is closed by who opened it. */
  async close(): Promise<void> {
    this.#closed = true;
  }

  /** Writes the entry in place of the revision; undefined: somebody else was faster. */
  async #write(name: string, holder: LeaseHolder, ttlMs: number, revision: number, epoch: number | undefined): Promise<HeldLease | undefined> {
    const record: LeaseRecord = {
      holder: { id: holder.id, address: holder.address },
      ...(epoch !== undefined && { epoch }),
      ttlMs,
      expiresAtMs: this.#nowMs() + ttlMs,
    };
    try {
      const written = await this.#withBucket((bucket) => bucket.put(encodeKey(name), JSON.stringify(record), { previousSeq: revision }));
      this.#seen.set(encodeKey(name), { revision: written, lookedAtMs: this.#nowMs(), changedAfterMs: this.#nowMs() });
      return { name, holder: record.holder, epoch: epoch ?? written, expiresAtMs: record.expiresAtMs };
    } catch (error) {
      if (isBehind(error)) return undefined;
      throw error;
    }
  }

  async #entry(name: string): Promise<KvEntry | undefined> {
    const entry = await this.#withBucket((bucket) => bucket.get(encodeKey(name)));
    return entry === null ? undefined : this.#observe(entry);
  }

  /** Remembers between which two looks an entry changed. */
  #observe(entry: KvEntry): KvEntry {
    const seen = this.#seen.get(entry.key);
    const changedAfterMs = seen?.revision === entry.revision ? seen.changedAfterMs : seen?.lookedAtMs;
    this.#seen.set(entry.key, { revision: entry.revision, lookedAtMs: this.#nowMs(), changedAfterMs });
    return entry;
  }

  #inForce(found: FoundLease): boolean {
    const now = this.#nowMs();
    if (now < found.held.expiresAtMs) return true;
    const changedAfterMs = this.#seen.get(encodeKey(found.held.name))?.changedAfterMs;
    return changedAfterMs !== undefined && now < changedAfterMs + found.ttlMs;
  }

  async #withBucket<Result>(use: (bucket: KV) => Promise<Result>): Promise<Result> {
    if (this.#closed) throw new Error('the lease service is closed');
    return this.options.link.whileConnected(async () => {
      try {
        return await use(await this.#openBucket());
      } catch (error) {
        if (!isStreamGone(error)) throw error;
        // Deleted under us: it is made anew, and every lease in it is to be taken again.
        this.#bucket = undefined;
        return use(await this.#openBucket());
      }
    });
  }

  #openBucket(): Promise<KV> {
    this.#bucket ??= this.#makeBucket().catch((error: unknown) => {
      this.#bucket = undefined;
      throw error;
    });
    return this.#bucket;
  }

  async #makeBucket(): Promise<KV> {
    const { link, deployment, replicas = 1 } = this.options;
    const name = `sluice_${deployment}_leases`;
    await ensureStream(link, {
      name: `KV_${name}`,
      subjects: [`$KV.${name}.>`],
      storage: StorageType.File,
      retention: RetentionPolicy.Limits,
      discard: DiscardPolicy.New,
      max_msgs_per_subject: 1,
      max_age: nanos(BUCKET_TTL_MS),
      allow_rollup_hdrs: true,
      // Reads go to the leader: a replica may still name a holder that is gone.
      allow_direct: false,
      num_replicas: replicas,
    });
    return new Kvm(link.jetstream).open(name, { allow_direct: false });
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000);
  }
}

/** The lease in an entry; undefined: it was given back, or there is none. */
function toFound(name: string, entry: KvEntry | undefined): FoundLease | undefined {
  if (entry === undefined || entry.operation !== 'PUT') return undefined;
  const { holder, epoch, ttlMs, expiresAtMs } = entry.json<LeaseRecord>();
  return { revision: entry.revision, ttlMs, held: { name, holder, epoch: epoch ?? entry.revision, expiresAtMs } };
}

function isSame(found: HeldLease, held: HeldLease): boolean {
  return found.holder.id === held.holder.id && found.epoch === held.epoch;
}

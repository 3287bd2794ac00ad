/**
 * The read store on MongoDB. Which copy is in force is one document; a process remembers it for a moment, so that queries
 * do not ask for it every time and still see a switch in time.
 *
 * There are no change streams (a standalone server has none): while somebody listens, the checkpoints are polled.
 */
import { type Clock, type CollectionDefinition, type CopySwitch, type ReadCopy, type ReadStore, systemClock } from '@sluice/ports';

import { type CopyIdentity, type CopyInForce, CopyRegistry } from './copy-registry';
import type { ReadStoreSource } from './log-identity-document';
import type { MongoConnection } from './mongo-connection';
import { MongoReadCopy } from './mongo-read-copy';

/** How long the replaced copy still answers those who read from it. */
const DEFAULT_GRACE_MS = 30_000;
/** How long a process believes that the copy in force is still the same; a switch must be seen within 500 ms. */
const IN_FORCE_KNOWN_MS = 250;
const DEFAULT_POLL_MS = 100;

export interface MongoReadStoreOptions {
  readonly connection: MongoConnection;
  readonly collections: readonly CollectionDefinition[];
  /** The log that the rows are made from; left out by those who only read. */
  readonly identity?: CopyIdentity;
  readonly clock?: Clock;
  readonly graceMs?: number;
  /** How often the checkpoints are looked at while somebody listens. */
  readonly pollMs?: number;
}

export class MongoReadStore implements ReadStore {
  readonly #registry: CopyRegistry;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  readonly #stops = new Set<() => void>();
  /** Names of the copies whose indexes were made, or were found, here. */
  readonly #prepared = new Set<string>();
  #known: { readonly copy: MongoReadCopy; readonly untilMs: number } | undefined;
  #stopPolling: (() => void) | undefined;
  #closed = false;

  constructor(private readonly options: MongoReadStoreOptions) {
    this.#registry = new CopyRegistry(options.connection.db);
    this.#clock = options.clock ?? systemClock;
  }

  async incarnation(): Promise<string | undefined> {
    return (await this.#registry.inForce())?.incarnation;
  }

  /** The log that the rows were made from; undefined: there are none, or they do not say. Makes no copy. */
  async source(): Promise<ReadStoreSource | undefined> {
    const inForce = await this.#registry.inForce();
    if (inForce?.incarnation === undefined) return undefined;
    const checkpoints = await this.#copy(inForce.copy).checkpoints();
    return { incarnation: inForce.incarnation, hasCommits: checkpoints.some(({ sequence }) => sequence > 0) };
  }

  async partitions(): Promise<number | undefined> {
    return (await this.#registry.inForce())?.partitions;
  }

  async current(): Promise<ReadCopy> {
    if (this.#known !== undefined && this.#nowMs() < this.#known.untilMs) return this.#known.copy;
    const { identity } = this.options;
    const inForce = (await this.#registry.inForce()) ?? (await this.#makeFirst());
    if (inForce.incarnation === undefined && identity !== undefined) await this.#registry.identify(identity);
    // The projector makes what a copy of an earlier version lacks. A query may have no right to.
    if (identity !== undefined) await this.#prepare(this.#copy(inForce.copy));
    return this.#remember(inForce.copy);
  }

  async beginCopy(identity: CopyIdentity): Promise<ReadCopy> {
    const graceMs = this.options.graceMs ?? DEFAULT_GRACE_MS;
    const copy = this.#copy(await this.#registry.beginFilling(identity, this.#now()));
    for (const leftover of await this.#registry.leftovers(new Date(this.#nowMs() - graceMs))) await this.#remove(leftover);
    await this.#prepare(copy);
    return copy;
  }

  beginSwitch(copy: ReadCopy): Promise<CopySwitch> {
    return this.#registry.beginSwitch(copy.name);
  }

  continueSwitch(seen: CopySwitch): Promise<CopySwitch> {
    return this.#registry.continueSwitch(seen);
  }

  async activate(seen: CopySwitch): Promise<void> {
    const replaced = await this.#registry.activate(seen, this.#now());
    this.#remember(seen.copy);
    if (replaced !== undefined) this.#removeLater(replaced);
    this.#changed();
  }

  endSwitch(seen: CopySwitch): Promise<void> {
    return this.#registry.endSwitch(seen);
  }

  switchUnderWay(): Promise<CopySwitch | undefined> {
    return this.#registry.switchUnderWay();
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    this.#stopPolling ??= this.#poll();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#stopPolling?.();
      this.#stopPolling = undefined;
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stopPolling?.();
    for (const stop of this.#stops) stop();
    this.#listeners.clear();
  }

  async #makeFirst(): Promise<CopyInForce> {
    const { identity } = this.options;
    const first = this.#copy(await this.#registry.add(this.#now()));
    await this.#prepare(first);
    if (await this.#registry.putFirst(first.name, identity)) return { copy: first.name, ...identity };
    await this.#remove(first.name);
    return (await this.#registry.inForce()) as CopyInForce;
  }

  async #prepare(copy: MongoReadCopy): Promise<void> {
    if (this.#prepared.has(copy.name)) return;
    await copy.prepare();
    this.#prepared.add(copy.name);
  }

  #remember(name: string): MongoReadCopy {
    const copy = this.#known?.copy.name === name ? this.#known.copy : this.#copy(name);
    this.#known = { copy, untilMs: this.#nowMs() + IN_FORCE_KNOWN_MS };
    return copy;
  }

  #copy(name: string): MongoReadCopy {
    return new MongoReadCopy(name, this.options.connection.db, this.options.collections, {
      state: () => this.#registry.stateOf(name),
      applied: () => this.#changed(),
      closed: () => this.#forgetKnown(),
    });
  }

  /** The next look at the copy in force asks the server. */
  #forgetKnown(): void {
    this.#known = undefined;
  }

  async #remove(name: string): Promise<void> {
    await this.#copy(name).drop();
    await this.#registry.forget(name);
  }

  /** If this process ends before, the next rebuild removes it. */
  #removeLater(name: string): void {
    const stop = this.#clock.after(this.options.graceMs ?? DEFAULT_GRACE_MS, () => {
      this.#stops.delete(stop);
      // What cannot be removed now is a leftover for the next rebuild.
      this.#remove(name).catch(() => undefined);
    });
    this.#stops.add(stop);
  }

  #changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** Looks at the checkpoints again and again, and tells the listeners when they moved or another copy came in force. */
  #poll(): () => void {
    let stopped = false;
    let cancel = (): void => undefined;
    let seen: string | undefined;
    const look = async (): Promise<void> => {
      try {
        const stand = await this.#stand();
        // The first look has nothing to compare with: what changed since the listener came would be missed, so it tells, too.
        if (!stopped && stand !== seen) this.#changed();
        seen = stand;
      } catch {
        // Out of reach: the next look tells whether something changed meanwhile.
      }
      if (!stopped && !this.#closed) cancel = this.#clock.after(this.options.pollMs ?? DEFAULT_POLL_MS, () => void look());
    };
    void look();
    return () => {
      stopped = true;
      cancel();
    };
  }

  async #stand(): Promise<string> {
    const copy = await this.current();
    const checkpoints = await copy.checkpoints();
    return [copy.name, ...checkpoints.map(({ partition, projection, sequence }) => `${partition}:${projection}:${sequence}`)].join(' ');
  }

  #nowMs(): number {
    return Math.floor(this.#clock.nowUs() / 1000);
  }

  #now(): Date {
    return new Date(this.#nowMs());
  }
}

/** The read store as a process sees it: the memory store behind a network that fails as the plan says. */
import { MemoryReadStore, type MemoryReadStorage } from '@sluice/memory';
import type { CopySwitch, ReadCopy, ReadStore } from '@sluice/ports';
import type { Life } from './life';
import { remote } from './remote';

export class SimulatedReadStore implements ReadStore {
  readonly #store: MemoryReadStore;
  readonly #asked: MemoryReadStore;
  readonly #copies = new Map<ReadCopy, ReadCopy>();

  constructor(
    private readonly life: Life,
    storage: MemoryReadStorage,
    identity: { readonly incarnation: string; readonly partitions: number } | undefined,
  ) {
    this.#store = new MemoryReadStore({ collections: storage, clock: life.clock, ...(identity === undefined ? undefined : { identity }) });
    this.#asked = remote(life, this.#store, { fails: () => life.world.faults.readStoreFails }, 'read store');
  }

  incarnation(): Promise<string | undefined> {
    return this.#asked.incarnation();
  }

  partitions(): Promise<number | undefined> {
    return this.#asked.partitions();
  }

  /** Cached by real adapters: it costs no call. */
  async current(): Promise<ReadCopy> {
    return this.#copyOf(await this.#store.current());
  }

  async beginCopy(identity: { incarnation: string; partitions: number }): Promise<ReadCopy> {
    return this.#copyOf(await this.#asked.beginCopy(identity));
  }

  beginSwitch(copy: ReadCopy): Promise<CopySwitch> {
    return this.#asked.beginSwitch(copy);
  }

  continueSwitch(seen: CopySwitch): Promise<CopySwitch> {
    return this.#asked.continueSwitch(seen);
  }

  activate(seen: CopySwitch): Promise<void> {
    return this.#asked.activate(seen);
  }

  endSwitch(seen: CopySwitch): Promise<void> {
    return this.#asked.endSwitch(seen);
  }

  switchUnderWay(): Promise<CopySwitch | undefined> {
    return this.#asked.switchUnderWay();
  }

  onChange(listener: () => void): () => void {
    return this.#store.onChange(() => void this.life.world.timeline.schedule(1, () => this.life.continue(listener)));
  }

  async close(): Promise<void> {}

  #copyOf(copy: ReadCopy): ReadCopy {
    const known = this.#copies.get(copy);
    if (known !== undefined) return known;
    const { life } = this;
    const made = remote(life, copy, { fails: () => life.world.faults.readStoreFails, answerLost: () => life.world.faults.readStoreAnswerLost }, 'read store');
    this.#copies.set(copy, made);
    return made;
  }
}

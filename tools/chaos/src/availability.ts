/**
 * What is away, and which partitions nothing can serve because of it. For these no gap is counted:
 *
 *   away                                        partitions
 *   MongoDB                                     all: no command is durable
 *   every command instance                      all
 *   NATS, and an owner went away meanwhile      those of that owner: no instance can see that they are free
 *
 * An owner that was only paused has its partitions when it goes on, under the fence in the log. One that was started again waits for NATS.
 */
import type { Act } from './plan/step';
import type { Cast } from './plan/plan';

export class Availability {
  private readonly away = new Map<string, Act>();
  /** Command instances that went away, or were away, while NATS is away. */
  private readonly goneWithoutNats = new Set<string>();
  private owners: readonly (string | undefined)[];
  private projectableSinceMs = 0;

  constructor(
    private readonly cast: Cast,
    private readonly partitions: number,
  ) {
    this.owners = Array.from({ length: partitions }, () => undefined);
  }

  /** Owner of each partition, as the leases say; told while they can be read. */
  ownersAre(owners: readonly (string | undefined)[]): void {
    if (!this.isAway(this.cast.nats)) this.owners = owners;
  }

  goesAway(name: string, act: Act): void {
    this.away.set(name, act);
    if (name === this.cast.nats) {
      this.goneWithoutNats.clear();
      for (const instance of this.cast.command) if (this.isAway(instance)) this.goneWithoutNats.add(instance);
    } else if (this.isAway(this.cast.nats) && this.cast.command.includes(name)) this.goneWithoutNats.add(name);
  }

  isBack(name: string, nowMs: number): void {
    const act = this.away.get(name);
    this.away.delete(name);
    if (act === 'pause') this.goneWithoutNats.delete(name);
    if ([...this.cast.projector, ...this.cast.query, this.cast.mongodb].includes(name)) this.projectableSinceMs = nowMs;
  }

  isAway(name: string): boolean {
    return this.away.has(name);
  }

  /** What is away and how it went, for people. */
  get description(): string {
    return [...this.away].map(([name, act]) => `${name} (${act})`).join(', ');
  }

  /** Nothing can serve it. */
  isOrphaned(partition: number): boolean {
    const { command, nats, mongodb } = this.cast;
    if (this.isAway(mongodb) || command.every((name) => this.isAway(name))) return true;
    const owner = this.owners[partition];
    return this.isAway(nats) && (owner === undefined || this.goneWithoutNats.has(owner));
  }

  get orphaned(): readonly number[] {
    return Array.from({ length: this.partitions }, (_, partition) => partition).filter((partition) => this.isOrphaned(partition));
  }

  /** Since when everything is there that commits need on their way to the reader; undefined: something is away. */
  get projectableSince(): number | undefined {
    const { projector, query, mongodb } = this.cast;
    return [...projector, ...query, mongodb].some((name) => this.isAway(name)) ? undefined : this.projectableSinceMs;
  }
}

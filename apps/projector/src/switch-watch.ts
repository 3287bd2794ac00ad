/**
 * Whether a rebuild switches to another copy of the read store. The copy in force is closed meanwhile, so a switch whose rebuild
 * has died must not last: one that shows no sign of life, by this process's own clock, is ended.
 */
import type { Clock, CopySwitch, ReadStore } from '@sluice/ports';

/** A rebuild gives a sign of life every second; its process may be paused, or its store slow, for a while. */
export const SWITCH_SILENCE_MS = 10_000;

export class SwitchWatch {
  private seen: (CopySwitch & { readonly sinceMs: number }) | undefined;

  /** @param ended told of a switch that was ended here. */
  constructor(
    private readonly store: Pick<ReadStore, 'switchUnderWay' | 'endSwitch'>,
    private readonly clock: Pick<Clock, 'monotonicMs'>,
    private readonly ended: (found: CopySwitch) => void,
  ) {}

  async underWay(): Promise<boolean> {
    const found = await this.store.switchUnderWay();
    if (found === undefined) {
      this.seen = undefined;
      return false;
    }
    const nowMs = this.clock.monotonicMs();
    if (this.seen?.mark !== found.mark) this.seen = { ...found, sinceMs: nowMs };
    if (nowMs - this.seen.sinceMs < SWITCH_SILENCE_MS) return true;
    await this.store.endSwitch(found);
    this.seen = undefined;
    this.ended(found);
    return false;
  }
}

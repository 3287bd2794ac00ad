/** Where the branches stand, read for all of them at once while any of them is waited for: a watch of every run would read the same rows again with every commit. */
import type { BusinessDay, SluiceClient } from '@sluice/client';
import { isPassing, PATIENCE_MS, READ } from './day-call';
import { pause } from './task-outages';

const LOOK_MS = 50;
const PAGE_SIZE = 1_000;

interface Waiter {
  readonly branch: string;
  readonly untilMs: number;
  readonly isThere: (day: BusinessDay) => boolean;
  readonly resolve: (day: BusinessDay) => void;
  readonly reject: (error: unknown) => void;
}

export class DayBoard {
  private waiters = new Set<Waiter>();
  private isLooking = false;

  constructor(private readonly client: SluiceClient) {}

  /** Resolves with the branch when it stands so; rejects when it does not for too long. */
  until(branch: string, isThere: (day: BusinessDay) => boolean): Promise<BusinessDay> {
    return new Promise((resolve, reject) => {
      this.waiters.add({ branch, untilMs: Date.now() + PATIENCE_MS, isThere, resolve, reject });
      if (this.isLooking) return;
      this.isLooking = true;
      this.look().catch((error: unknown) => this.fail(error));
    });
  }

  private async look(): Promise<void> {
    for (; this.waiters.size > 0; await pause(LOOK_MS)) {
      const days = await this.read();
      const now = Date.now();
      for (const waiter of this.waiters) {
        const day = days.get(waiter.branch);
        const isThere = day !== undefined && waiter.isThere(day);
        if (!isThere && now <= waiter.untilMs) continue;
        this.waiters.delete(waiter);
        if (isThere) waiter.resolve(day);
        else waiter.reject(new Error(`the end of day of branch ${waiter.branch} does not go on: ${day?.batchDate ?? 'it is not there'}`));
      }
    }
    this.isLooking = false;
  }

  /** Nothing while the server is away. */
  private async read(): Promise<Map<string, BusinessDay>> {
    const days = new Map<string, BusinessDay>();
    try {
      for await (const day of this.client.businessDays.branches({ ...READ, pageSize: PAGE_SIZE })) days.set(day.branchId, day);
    } catch (error) {
      if (!isPassing(error)) throw error;
    }
    return days;
  }

  private fail(error: unknown): void {
    const { waiters } = this;
    this.waiters = new Set();
    this.isLooking = false;
    for (const { reject } of waiters) reject(error);
  }
}

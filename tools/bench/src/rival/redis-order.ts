import type { RivalOrder } from './rival-order';

export interface RedisOrder extends RivalOrder {
  readonly url: string;
  /** When Redis syncs its append-only file: once a second, or before it answers. */
  readonly fsync: 'everysec' | 'always';
  /** Scores are of random ones of so many members. */
  readonly members: number;
}

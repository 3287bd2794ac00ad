import type { RivalOrder } from './rival-order';

export type NatsOrder =
  | (RivalOrder & { readonly kind: 'publish'; readonly url: string; readonly deployment: string })
  /** Removes the streams of the bench's deployments. */
  | { readonly kind: 'forget'; readonly url: string; readonly deployments: readonly string[] };

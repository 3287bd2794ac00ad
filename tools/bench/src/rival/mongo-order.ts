import type { RivalOrder } from './rival-order';

export type MongoOrder =
  | (RivalOrder & { readonly kind: 'post'; readonly url: string; readonly database: string })
  /** Drops what the bench made on the server. */
  | { readonly kind: 'forget'; readonly url: string; readonly databases: readonly string[] };

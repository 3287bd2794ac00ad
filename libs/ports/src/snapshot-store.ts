/**
 * Blocks of bytes beside the log that only save time: partition snapshots and runs of the request-id index. Everything in
 * it can be rebuilt from the log; what was put is durable once `put` resolves.
 *
 * Names are paths like "partition/3/snapshot/000000000120/0004"; `list` is by prefix, in order of the names.
 */
export interface SnapshotStore {
  put(blocks: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Promise<void>;
  get(name: string): Promise<Uint8Array | undefined>;
  list(prefix: string): Promise<string[]>;
  /** Removes every block whose name starts with the prefix. */
  remove(prefix: string): Promise<void>;
  close(): Promise<void>;
}

/** A thread of the signature pool: takes a share of a batch's postings, answers which verify. */
import { parentPort } from 'node:worker_threads';
import type { PoolReply } from '@sluice/engine';
import { postingSignatureVerifies } from '@sluice/protocol/account';

export interface SignatureTask {
  /** The postings' bytes, one after the other. */
  readonly bytes: Uint8Array;
  /** End of each posting in `bytes`. */
  readonly ends: Int32Array;
  readonly keys: readonly Uint8Array[];
  /** Which key each posting is checked with. */
  readonly keyOf: Int32Array;
}

parentPort?.on('message', ({ id, task }: { id: number; task: SignatureTask }) => {
  try {
    const valid = new Uint8Array(task.ends.length);
    let start = 0;
    for (let index = 0; index < task.ends.length; index += 1) {
      const end = task.ends[index] as number;
      const key = task.keys[task.keyOf[index] as number] as Uint8Array;
      valid[index] = postingSignatureVerifies(key, task.bytes.subarray(start, end)) ? 1 : 0;
      start = end;
    }
    parentPort?.postMessage({ id, result: valid } satisfies PoolReply<Uint8Array>);
  } catch (error) {
    parentPort?.postMessage({ id, error: error instanceof Error ? error.message : String(error) } satisfies PoolReply<Uint8Array>);
  }
});

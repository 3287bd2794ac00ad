/**
 * Signature checks of postings, before their turn: in this thread, or cut into shares for a pool and joined. The verdict names the key it was
 * made with; if the account has another key by the time of the turn, the check is done again there.
 */
import { WorkerPool, type PoolMode } from '@sluice/engine';
import { HOLD_ID_LENGTH_AND_FLAGS, postingSignatureVerifies, SIGNED_FLAG, STRIDE, type PostingBatch } from '@sluice/protocol/account';
import { type AccountKey, type Keyring, workerEntry } from '@sluice/ports';
import type { SignatureTask } from './signature.worker';

/** Signed postings below which `auto` does not bother the pool. */
const POOL_FROM = 128;

/** refuse: the partition is not served. accept: it is, and signed postings of these accounts are refused. */
export type MissingKeys = 'refuse' | 'accept';

export class SignatureChecks {
  private readonly lacking = new Set<string>();
  private readonly verdicts = new Map<number, { readonly keyId: string; readonly valid: boolean }>();

  note(index: number, keyId: string, valid: boolean): void {
    this.verdicts.set(index, { keyId, valid });
  }

  noteLacking(keyId: string): void {
    this.lacking.add(keyId);
  }

  /** Whether the keyring had no such key. */
  lacks(keyId: string): boolean {
    return this.lacking.has(keyId);
  }

  /** Undefined: not checked with this key. */
  valid(index: number, keyId: string): boolean | undefined {
    const verdict = this.verdicts.get(index);
    return verdict?.keyId === keyId ? verdict.valid : undefined;
  }
}

export class Signatures {
  private readonly pool: WorkerPool<SignatureTask, Uint8Array> | undefined;

  constructor(
    private readonly keyring: Keyring,
    private readonly mode: PoolMode,
    threads?: number,
    /** What becomes of a partition whose accounts name keys that the keyring lacks. */
    readonly missingKeys: MissingKeys = 'refuse',
  ) {
    this.pool = mode === 'off' ? undefined : new WorkerPool(workerEntry(__dirname, 'signature.worker'), threads);
  }

  /** Stores keys, in one round trip; they can be checked with from now on. */
  store(keys: readonly AccountKey[]): Promise<void> {
    return this.keyring.store(keys);
  }

  /** Checks now, in this thread; undefined: the key is not in memory. */
  verifyNow(batch: PostingBatch, index: number, keyId: string, key: Uint8Array | undefined = this.keyring.cached(keyId)): boolean | undefined {
    if (((batch.fields[index * STRIDE + HOLD_ID_LENGTH_AND_FLAGS] as number) & SIGNED_FLAG) === 0) return false;
    return key === undefined ? undefined : postingSignatureVerifies(key, batch.body(index));
  }

  /** Checks in this thread, fetching the key where it is not in memory; undefined: the keyring lacks it. */
  async verify(batch: PostingBatch, index: number, keyId: string): Promise<boolean | undefined> {
    const key = await this.keyring.load(keyId);
    return this.verifyNow(batch, index, keyId, key);
  }

  /** How many of the keys the keyring lacks. */
  async countMissing(keyIds: readonly string[]): Promise<number> {
    return keyIds.length === 0 ? 0 : (await this.keyring.missing(keyIds)).length;
  }

  /** Checks the signed postings of a batch; undefined: none of their accounts asks for it. */
  check(batch: PostingBatch, indexes: readonly number[], keyIdOf: (index: number) => string): Promise<SignatureChecks> | undefined {
    const keyIds = new Map<string, number[]>();
    for (const index of indexes) {
      const keyId = keyIdOf(index);
      if (keyId === '') continue;
      const list = keyIds.get(keyId);
      if (list === undefined) keyIds.set(keyId, [index]);
      else list.push(index);
    }
    return keyIds.size === 0 ? undefined : this.checkAll(batch, keyIds);
  }

  async close(): Promise<void> {
    await this.pool?.close();
  }

  private async checkAll(batch: PostingBatch, byKey: ReadonlyMap<string, readonly number[]>): Promise<SignatureChecks> {
    const checks = new SignatureChecks();
    const work: { readonly index: number; readonly keyId: string; readonly key: Uint8Array }[] = [];
    for (const [keyId, indexes] of byKey) {
      const key = await this.keyring.load(keyId);
      if (key === undefined) {
        checks.noteLacking(keyId);
        continue;
      }
      for (const index of indexes) work.push({ index, keyId, key });
    }
    const { pool } = this;
    if (pool === undefined || (this.mode === 'auto' && work.length < POOL_FROM)) {
      for (const { index, keyId, key } of work) checks.note(index, keyId, postingSignatureVerifies(key, batch.body(index)));
      return checks;
    }
    const share = Math.ceil(work.length / pool.size);
    const shares: (typeof work)[] = [];
    for (let at = 0; at < work.length; at += share) shares.push(work.slice(at, at + share));
    const results = await Promise.all(shares.map((part) => pool.run(taskOf(batch, part))));
    shares.forEach((part, at) => part.forEach(({ index, keyId }, item) => checks.note(index, keyId, results[at]?.[item] === 1)));
    return checks;
  }
}

function taskOf(batch: PostingBatch, part: readonly { readonly index: number; readonly key: Uint8Array }[]): SignatureTask {
  const keys: Uint8Array[] = [];
  const keyNumbers = new Map<Uint8Array, number>();
  const keyOf = new Int32Array(part.length);
  const ends = new Int32Array(part.length);
  const bodies: Uint8Array[] = [];
  let end = 0;
  part.forEach(({ index, key }, item) => {
    let number = keyNumbers.get(key);
    if (number === undefined) {
      number = keys.length;
      keys.push(key);
      keyNumbers.set(key, number);
    }
    keyOf[item] = number;
    const body = batch.body(index);
    bodies.push(body);
    end += body.length;
    ends[item] = end;
  });
  return { bytes: Buffer.concat(bodies), ends, keys, keyOf };
}

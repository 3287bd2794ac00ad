/**
 * A figure counts only if what it counts is there: what callers were told is accepted, what the log has and what queries
 * answer must be the same number, and the fold of the log must equal the read store.
 */
import type { Bench, Target } from '../bench';

export interface Proof {
  readonly acknowledged: number;
  readonly logged: number;
  readonly projected: number;
  readonly verified: boolean;
}

/** Where one account took every posting. */
export async function proveAccount(bench: Bench, target: Target, accountId: string): Promise<Proof> {
  await settle(bench, target);
  const { equal, differences, logEntryCount } = await target.control.verifyAccount(accountId);
  return conclude(bench, target, { equal, differences, logged: Number(logEntryCount), projected: await target.control.entryCount(accountId) });
}

/** Where many did: the whole log is folded. */
export async function proveAll(bench: Bench, target: Target): Promise<Proof> {
  await settle(bench, target);
  const { equal, differences, entries } = await target.control.verifyAll((done, total) => bench.progress.amount('folding the log', done, total));
  return conclude(bench, target, { equal, differences, logged: Number(entries), projected: await target.control.entryCountOfAll() });
}

export function sumOfProofs(proofs: readonly Proof[]): Proof {
  return {
    acknowledged: proofs.reduce((sum, { acknowledged }) => sum + acknowledged, 0),
    logged: proofs.reduce((sum, { logged }) => sum + logged, 0),
    projected: proofs.reduce((sum, { projected }) => sum + projected, 0),
    verified: proofs.every(({ verified }) => verified),
  };
}

async function settle(bench: Bench, target: Target): Promise<void> {
  bench.progress.step('checking acknowledged = log = read store');
  await target.control.drain();
}

function conclude(
  bench: Bench,
  { acknowledged }: Target,
  { equal, differences, logged, projected }: { equal: boolean; differences: readonly string[]; logged: number; projected: number },
): Proof {
  bench.complaints.push(...differences);
  const verified = equal && acknowledged === logged && logged === projected && bench.complaints.length === 0;
  return { acknowledged, logged, projected, verified };
}

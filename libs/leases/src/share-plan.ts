/**
 * Who is to have which partition. Every instance computes the same plan from the same view, so that nobody needs to decide for all.
 *
 * Every instance is to have the same number of partitions, some of them one more. As few as possible move: an instance keeps its first
 * ones, up to its share. The plan stays the same while it is being carried out, in whatever order partitions move.
 */

/**
 * @param instances ids of the instances that are there
 * @param holders partition → id of the instance that has it; absent: none. An instance that is not there is to lose what it has.
 * @returns partition → id of the instance that is to have it instead; absent: it stays where it is
 */
export function planMoves(instances: readonly string[], holders: ReadonlyMap<number, string>, partitions: number): Map<number, string> {
  const moves = new Map<number, string>();
  if (instances.length === 0) return moves;
  const shares = evenShares(instances, holders, partitions);
  const kept = new Map<string, number>();
  const moving: number[] = [];
  for (let partition = 0; partition < partitions; partition += 1) {
    const holder = holders.get(partition);
    const share = holder === undefined ? undefined : shares.get(holder);
    const keptByHolder = kept.get(holder ?? '') ?? 0;
    if (holder === undefined || share === undefined || keptByHolder >= share) moving.push(partition);
    else kept.set(holder, keptByHolder + 1);
  }
  let next = 0;
  for (const instance of [...shares.keys()].sort()) {
    const lacking = (shares.get(instance) as number) - (kept.get(instance) ?? 0);
    for (const partition of moving.slice(next, next + lacking)) moves.set(partition, instance);
    next += lacking;
  }
  return moves;
}

/** How many partitions each instance is to have. Those that have more than the others keep one more, if not all can have the same. */
function evenShares(instances: readonly string[], holders: ReadonlyMap<number, string>, partitions: number): Map<string, number> {
  const all = [...new Set(instances)];
  const has = new Map(all.map((instance) => [instance, 0]));
  for (const holder of holders.values()) if (has.has(holder)) has.set(holder, (has.get(holder) as number) + 1);
  const share = Math.floor(partitions / all.length);
  const aboveShare = (instance: string): number => Math.max(0, (has.get(instance) as number) - share);
  all.sort((left, right) => aboveShare(right) - aboveShare(left) || (left < right ? -1 : 1));
  return new Map(all.map((instance, rank) => [instance, share + (rank < partitions % all.length ? 1 : 0)]));
}

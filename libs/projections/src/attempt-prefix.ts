/** What the names of all write attempts of a partition, and so the keys of what they write once, start with; in the order of the partitions. */

/** Partitions are at most 4,096. */
const PARTITION_DIGITS = 3;

export function attemptPrefix(partition: number): string {
  return partition.toString(36).padStart(PARTITION_DIGITS, '0');
}

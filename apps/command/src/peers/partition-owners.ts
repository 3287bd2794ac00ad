/** What a hop must know about the owners of partitions. */
import type { LeaseHolder } from '@sluice/ports';

export interface PartitionOwners {
  /** The instance that holds the partition, as far as this one knows: this one, another, or undefined. */
  ownerOf(partition: number): LeaseHolder | undefined;
  /** Asks the lease service. While that does not answer, the owner known last. */
  findOwner(partition: number): Promise<LeaseHolder | undefined>;
  /** Calls back when this instance learns that the partition has another owner, or none. Returns how to end that. */
  onOwnerChanged(listener: (partition: number) => void): () => void;
}

/** How batches reach partitions of other processes. Partitions of the same process are reached without it. */
export interface DeliveryTransport {
  /**
   * Sends an encoded `sluice.log.v1.DeliveryBatch` to the owner of the partition and resolves with the encoded `DeliveryAnswer`. Rejects if no
   * owner answers; the source sends the batch again. It ends within a bound of time.
   */
  send(target: number, batch: Uint8Array): Promise<Uint8Array>;
}

/**
 * One hop to a partition's owner. The engine routes a request by its key to a partition; where another instance owns that
 * partition, the request goes there as encoded bytes. The hop knows neither the capability nor the message, so a new method
 * needs no forwarding code.
 *
 * The engine carries no network code: the process that shares partitions brings the transport.
 */

export interface HopMethod {
  /** Full name of the method: "/sluice.account.v1.AccountCommandService/PostBatch". */
  readonly path: string;
  /**
   * True: a second request with the same bytes gets the first answer, as request ids guarantee. Only then may a hop whose
   * outcome is unknown be sent again.
   */
  readonly repeatable: boolean;
}

export interface PartitionHop<Call> {
  /**
   * Runs the method at the owner of the partition and resolves with the encoded response.
   *
   * @param call the caller's call: the verified caller, the deadline and the trace go with the hop. The engine only passes it on.
   *
   * Rejects with the owner's refusal, or as unavailable when no owner answers.
   */
  send(partition: number, method: HopMethod, request: Uint8Array, call: Call): Promise<Buffer>;
}

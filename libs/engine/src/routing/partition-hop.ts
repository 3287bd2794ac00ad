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

export interface HopStreamListener {
  readonly message: (bytes: Buffer) => void;
  /** The stream brings no more: it was cut, or the partition has another owner. Called once, unless the stream is cancelled. */
  readonly ended: () => void;
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

  /**
   * Opens a stream of answers at the owner of the partition. It is not opened again by itself: the next owner may have to be told more.
   * While this instance owns the partition, or knows no owner, the stream stays open without answers until that changes.
   *
   * @param path of a method with one request and a stream of answers.
   * @param call the caller that goes with the stream; it has no deadline.
   */
  stream(partition: number, path: string, request: Uint8Array, call: Call, listener: HopStreamListener): { cancel(): void };
}

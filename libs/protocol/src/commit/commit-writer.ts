/**
 * Writes `sluice.log.v1.Commit` in one pass: header, events as they are decided, checksum. The generated codec reads what it
 * writes (property test).
 */
import { hash } from 'node:crypto';
import { ByteWriter } from '../wire/byte-writer';

export const COMMIT_SCHEMA_VERSION = 1;
export const CHECKSUM_BYTES = 32;
/** Tag and length of the checksum field, then the checksum: the last bytes of every commit. */
export const CHECKSUM_FIELD_BYTES = CHECKSUM_BYTES + 2;
export const CHECKSUM_TAG = (15 << 3) | 2;
export const NO_CHECKSUM: Uint8Array = new Uint8Array(CHECKSUM_BYTES);
/** Traceparents that one commit carries at most. */
export const MAXIMUM_TRACEPARENTS = 32;

export interface CommitHeader {
  /** 16 bytes. */
  readonly incarnation: Uint8Array;
  readonly partition: number;
  readonly sequence: number;
  readonly epoch: number;
  readonly committedAtUs: number;
  /** 32 bytes. */
  readonly previousChecksum: Uint8Array;
}

export class CommitWriter {
  readonly writer = new ByteWriter(1 << 16);
  private eventCount = 0;
  private readonly types = new Set<string>();

  begin(header: CommitHeader, traceparents: readonly string[]): void {
    const { writer } = this;
    writer.reset();
    this.eventCount = 0;
    this.types.clear();
    writer.numberField(0x08, COMMIT_SCHEMA_VERSION);
    writer.bytesField(0x12, header.incarnation);
    writer.numberField(0x18, header.partition);
    writer.numberField(0x20, header.sequence);
    writer.numberField(0x28, header.epoch);
    writer.numberField(0x30, header.committedAtUs);
    writer.bytesField(0x3a, header.previousChecksum);
    for (let index = 0; index < traceparents.length && index < MAXIMUM_TRACEPARENTS; index += 1) writer.stringField(0x42, traceparents[index] as string);
  }

  /** Opens an event; write its payload to `writer`, then hand what this returns to `closeEvent`. */
  openEvent(type: string, version: number): EventMark {
    const { writer } = this;
    this.eventCount += 1;
    this.types.add(type);
    const event = writer.open(0x4a);
    writer.stringField(0x0a, type);
    writer.numberField(0x10, version);
    return { event, payload: writer.open(0x1a) };
  }

  closeEvent(mark: EventMark): void {
    this.writer.close(mark.payload);
    this.writer.close(mark.event);
  }

  event(type: string, version: number, payload: Uint8Array): void {
    const mark = this.openEvent(type, version);
    this.writer.raw(payload, 0, payload.length);
    this.closeEvent(mark);
  }

  get events(): number {
    return this.eventCount;
  }

  get eventTypes(): string[] {
    return [...this.types];
  }

  /** The finished commit; its checksum is the last 32 bytes. */
  finish(): Buffer {
    const { writer } = this;
    const checksum = hash('sha256', writer.bytes.subarray(0, writer.at), 'buffer');
    writer.bytesField(CHECKSUM_TAG, checksum);
    return writer.copy();
  }
}

export interface EventMark {
  readonly event: number;
  readonly payload: number;
}

/**
 * Writes and reads `sluice.log.v1.DeliveryBatch` by hand: the events of owed deliveries go into a batch as they stand in the log and are
 * views of it at the target. The generated codec is the oracle of both ways (property test).
 */
import { CommitAnchor } from '../generated/sluice/log/v1/deliveries';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';
import { readOwedDeliveries, type OwedDeliveries } from './owed-deliveries';

export interface DeliveryBatchHeader {
  /** 16 bytes. */
  readonly incarnation: Uint8Array;
  readonly source: number;
  readonly target: number;
  /** The source has recorded the verdicts through this number. */
  readonly recordedThrough: number;
  /** The lowest dead letter without a verdict at the source; 0: none. */
  readonly lowestDead: number;
  /** Dead letters among the commands. */
  readonly dead: readonly number[];
  /** The only command to be decided; 0: all of them. */
  readonly redriven: number;
  /** The source's commit that owes the last command. */
  readonly anchor: CommitAnchor | undefined;
}

export interface DeliveryBatch extends DeliveryBatchHeader {
  readonly owed: readonly OwedDeliveries[];
}

const INCARNATION_TAG = 0x0a;
const SOURCE_TAG = 0x10;
const TARGET_TAG = 0x18;
const RECORDED_THROUGH_TAG = 0x20;
const LOWEST_DEAD_TAG = 0x28;
const DEAD_TAG = 0x32;
const UNPACKED_DEAD_TAG = 0x30;
const REDRIVEN_TAG = 0x38;
const ANCHOR_TAG = 0x42;
const OWED_TAG = 0x4a;
/** Most bytes of a varint. */
const VARINT_BYTES = 10;
const HEADER_BYTES = 256;

/** @param events encoded `DeliveriesOwed`, by number without gaps. */
export function encodeDeliveryBatch(header: DeliveryBatchHeader, events: readonly Uint8Array[]): Buffer {
  const writer = new ByteWriter(events.reduce((sum, { length }) => sum + length + VARINT_BYTES, HEADER_BYTES));
  writer.bytesField(INCARNATION_TAG, header.incarnation);
  writer.numberField(SOURCE_TAG, header.source);
  writer.numberField(TARGET_TAG, header.target);
  writer.numberField(RECORDED_THROUGH_TAG, header.recordedThrough);
  writer.numberField(LOWEST_DEAD_TAG, header.lowestDead);
  if (header.dead.length > 0) {
    const packed = writer.open(DEAD_TAG);
    for (const number of header.dead) {
      writer.reserve(VARINT_BYTES);
      writer.varint(number);
    }
    writer.close(packed);
  }
  writer.numberField(REDRIVEN_TAG, header.redriven);
  if (header.anchor !== undefined) writer.bytesField(ANCHOR_TAG, CommitAnchor.encode(header.anchor).finish());
  for (const event of events) writer.bytesField(OWED_TAG, event);
  return writer.bytes.subarray(0, writer.at);
}

/** Throws MalformedMessageError. */
export function readDeliveryBatch(bytes: Uint8Array): DeliveryBatch {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const dead: number[] = [];
  const owed: OwedDeliveries[] = [];
  const batch = { incarnation: NOTHING, source: 0, target: 0, recordedThrough: 0, lowestDead: 0, dead, redriven: 0, anchor: undefined, owed };
  const found: { -readonly [Field in keyof DeliveryBatch]: DeliveryBatch[Field] } = batch;
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case INCARNATION_TAG:
        found.incarnation = reader.view();
        break;
      case SOURCE_TAG:
        found.source = reader.varint();
        break;
      case TARGET_TAG:
        found.target = reader.varint();
        break;
      case RECORDED_THROUGH_TAG:
        found.recordedThrough = reader.varint();
        break;
      case LOWEST_DEAD_TAG:
        found.lowestDead = reader.varint();
        break;
      case UNPACKED_DEAD_TAG:
        dead.push(reader.varint());
        break;
      case DEAD_TAG:
        readPacked(reader, dead);
        break;
      case REDRIVEN_TAG:
        found.redriven = reader.varint();
        break;
      case ANCHOR_TAG:
        found.anchor = CommitAnchor.decode(reader.view());
        break;
      case OWED_TAG:
        owed.push(readOwedDeliveries(reader.view()));
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return found;
}

function readPacked(reader: ByteReader, into: number[]): void {
  const packed = reader.view();
  for (const numbers = new ByteReader(packed, 0, packed.length); !numbers.done; ) into.push(numbers.varint());
}

const NOTHING = new Uint8Array(0);

/**
 * Writes and reads `sluice.log.v1.DeliveriesOwed` by hand. It is formed while a turn is decided, stands in the commit, and travels in
 * batches as it was written. The generated codec is the oracle of both ways (property test).
 */
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';

/** What the commands of one event have in common. */
export interface OwedKind {
  readonly target: number;
  /** The capability that owes them. */
  readonly owedBy: string;
  /** The capability that decides them. */
  readonly capability: string;
  readonly method: string;
}

/** Consecutive commands of one kind, still encoded. */
export interface OwedDeliveries extends OwedKind {
  readonly firstNumber: number;
  readonly count: number;
  /** The whole event. */
  readonly bytes: Uint8Array;
  /** Where the first command begins in it. */
  readonly commandsAt: number;
}

/** A command in its event. What it holds is made when it is read: who decides and who settles often look at a part of it alone. */
export class OwedCommand {
  constructor(
    private readonly bytes: Buffer,
    private readonly keyAt: number,
    private readonly keyEnd: number,
    private readonly owedByKeyAt: number,
    private readonly owedByKeyEnd: number,
    private readonly payloadAt: number,
    private readonly payloadEnd: number,
  ) {}

  get key(): string {
    return this.bytes.toString('utf8', this.keyAt, this.keyEnd);
  }

  get owedByKey(): string {
    return this.bytes.toString('utf8', this.owedByKeyAt, this.owedByKeyEnd);
  }

  /** A view of the event's bytes. */
  get payload(): Uint8Array {
    return this.bytes.subarray(this.payloadAt, this.payloadEnd);
  }
}

const TARGET_TAG = 0x08;
const FIRST_NUMBER_TAG = 0x10;
const OWED_BY_TAG = 0x1a;
const CAPABILITY_TAG = 0x22;
const METHOD_TAG = 0x2a;
const COMMAND_TAG = 0x32;
const KEY_TAG = 0x0a;
const PAYLOAD_TAG = 0x12;
const OWED_BY_KEY_TAG = 0x1a;

/** Where a field of text was written last. */
interface WrittenText {
  text: string;
  at: number;
  end: number;
}

/** Forms one event. */
export class OwedDeliveriesWriter {
  count = 0;
  private readonly writer = new ByteWriter(256);
  private readonly commandsAt: number;
  /** Many commands of one event have the keys of the one before: these are copied. */
  private readonly key: WrittenText = { text: '', at: 0, end: 0 };
  private readonly owedByKey: WrittenText = { text: '', at: 0, end: 0 };

  constructor(
    readonly kind: OwedKind,
    readonly firstNumber: number,
  ) {
    const { writer } = this;
    writer.numberField(TARGET_TAG, kind.target);
    writer.numberField(FIRST_NUMBER_TAG, firstNumber);
    writer.stringField(OWED_BY_TAG, kind.owedBy);
    writer.stringField(CAPABILITY_TAG, kind.capability);
    writer.stringField(METHOD_TAG, kind.method);
    this.commandsAt = writer.at;
  }

  get sizeBytes(): number {
    return this.writer.at;
  }

  add(key: string, payload: Uint8Array, owedByKey: string): void {
    const { writer } = this;
    const command = writer.open(COMMAND_TAG);
    this.text(KEY_TAG, key, this.key);
    if (payload.length > 0) writer.bytesField(PAYLOAD_TAG, payload);
    this.text(OWED_BY_KEY_TAG, owedByKey, this.owedByKey);
    writer.close(command);
    this.count += 1;
  }

  finish(): OwedDeliveries {
    const { kind, firstNumber, count, commandsAt, writer } = this;
    return { ...kind, firstNumber, count, bytes: writer.copy(), commandsAt };
  }

  private text(tag: number, text: string, last: WrittenText): void {
    if (text === '') return;
    const { writer } = this;
    if (text === last.text) {
      writer.raw(writer.bytes, last.at, last.end);
      return;
    }
    last.text = text;
    last.at = writer.at;
    writer.stringField(tag, text);
    last.end = writer.at;
  }
}

/** Reads what the commands have in common, and counts them. Throws MalformedMessageError. */
export function readOwedDeliveries(bytes: Uint8Array): OwedDeliveries {
  const reader = new ByteReader(bytes, 0, bytes.length);
  const found = { target: 0, firstNumber: 0, owedBy: '', capability: '', method: '', count: 0, bytes, commandsAt: bytes.length };
  while (!reader.done) {
    const at = reader.at;
    const tag = reader.varint();
    switch (tag) {
      case TARGET_TAG:
        found.target = reader.varint();
        break;
      case FIRST_NUMBER_TAG:
        found.firstNumber = reader.varint();
        break;
      case OWED_BY_TAG:
        found.owedBy = reader.string();
        break;
      case CAPABILITY_TAG:
        found.capability = reader.string();
        break;
      case METHOD_TAG:
        found.method = reader.string();
        break;
      case COMMAND_TAG:
        if (found.count === 0) found.commandsAt = at;
        found.count += 1;
        reader.skip(tag & 7);
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return found;
}

/** The commands from the position on (0: all), in order. Throws MalformedMessageError. */
export function* owedCommands({ bytes, commandsAt }: Pick<OwedDeliveries, 'bytes' | 'commandsAt'>, position = 0): Generator<OwedCommand> {
  const reader = new ByteReader(bytes, commandsAt, bytes.length);
  const texts = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  while (!reader.done) {
    const tag = reader.varint();
    if (tag !== COMMAND_TAG || at++ < position) reader.skip(tag & 7);
    else yield readCommand(reader, texts);
  }
}

function readCommand(reader: ByteReader, texts: Buffer): OwedCommand {
  const length = reader.length();
  const outerEnd = reader.end;
  reader.end = reader.at + length;
  let keyAt = 0;
  let keyEnd = 0;
  let owedByKeyAt = 0;
  let owedByKeyEnd = 0;
  let payloadAt = 0;
  let payloadEnd = 0;
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case KEY_TAG:
        keyEnd = reader.length();
        keyAt = reader.at;
        keyEnd += keyAt;
        reader.at = keyEnd;
        break;
      case PAYLOAD_TAG:
        payloadEnd = reader.length();
        payloadAt = reader.at;
        payloadEnd += payloadAt;
        reader.at = payloadEnd;
        break;
      case OWED_BY_KEY_TAG:
        owedByKeyEnd = reader.length();
        owedByKeyAt = reader.at;
        owedByKeyEnd += owedByKeyAt;
        reader.at = owedByKeyEnd;
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  reader.end = outerEnd;
  return new OwedCommand(texts, keyAt, keyEnd, owedByKeyAt, owedByKeyEnd, payloadAt, payloadEnd);
}

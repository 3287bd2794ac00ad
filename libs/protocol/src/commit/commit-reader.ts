/**
 * Reads `sluice.log.v1.Commit` without decoding its events: their payloads stay views of the commit's bytes.
 */
import { hash } from 'node:crypto';
import { ByteReader, MalformedMessageError } from '../wire/byte-reader';
import { CHECKSUM_BYTES, CHECKSUM_FIELD_BYTES, CHECKSUM_TAG, COMMIT_SCHEMA_VERSION, type CommitHeader, NO_CHECKSUM } from './commit-writer';

export interface EventRecord {
  /** Like "account.PostingsRecorded". */
  readonly type: string;
  readonly version: number;
  readonly payload: Uint8Array;
}

export interface DecodedCommit extends CommitHeader {
  readonly traceparents: readonly string[];
  readonly events: readonly EventRecord[];
  /** 32 bytes. */
  readonly checksum: Uint8Array;
  readonly bytes: Uint8Array;
}

/** A commit that is not what was written: flipped, cut, of another log, or of a version that this program does not know. */
export class CorruptCommitError extends Error {
  constructor(
    readonly partition: number,
    readonly sequence: number,
    what: string,
  ) {
    super(`partition ${partition}, sequence ${sequence}: ${what}`);
    this.name = 'CorruptCommitError';
  }
}

/** A commit in a format that this program does not know. Nothing is wrong with it: a newer version of the program reads it. */
export class UnknownCommitFormatError extends CorruptCommitError {
  constructor(partition: number, sequence: number, format: number) {
    super(
      partition,
      sequence,
      `commit format ${format} is not known to this version of Sluice (it knows ${COMMIT_SCHEMA_VERSION}); deploy readers before writers`,
    );
    this.name = 'UnknownCommitFormatError';
  }
}

/** Decodes the header and finds the events. Throws MalformedMessageError or CorruptCommitError; the checksum is not checked here. */
export function readCommit(bytes: Uint8Array): DecodedCommit {
  const reader = new ByteReader(bytes, 0, bytes.length);
  let schemaVersion = 0;
  let incarnation: Uint8Array = EMPTY;
  let partition = 0;
  let sequence = 0;
  let epoch = 0;
  let committedAtUs = 0;
  let previousChecksum: Uint8Array = EMPTY;
  let checksum: Uint8Array = EMPTY;
  const traceparents: string[] = [];
  const events: EventRecord[] = [];
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case 0x08:
        schemaVersion = reader.varint();
        break;
      case 0x12:
        incarnation = reader.view();
        break;
      case 0x18:
        partition = reader.varint();
        break;
      case 0x20:
        sequence = reader.varint();
        break;
      case 0x28:
        epoch = reader.varint();
        break;
      case 0x30:
        committedAtUs = reader.varint();
        break;
      case 0x3a:
        previousChecksum = reader.view();
        break;
      case 0x42:
        traceparents.push(reader.string());
        break;
      case 0x4a:
        events.push(readEvent(reader));
        break;
      case CHECKSUM_TAG:
        checksum = reader.view();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  if (schemaVersion === 0) throw new CorruptCommitError(partition, sequence, 'the commit does not say its format: it was cut');
  if (schemaVersion !== COMMIT_SCHEMA_VERSION) throw new UnknownCommitFormatError(partition, sequence, schemaVersion);
  if (checksum.length !== CHECKSUM_BYTES) throw new CorruptCommitError(partition, sequence, 'the commit has no checksum: it was cut');
  return { incarnation, partition, sequence, epoch, committedAtUs, previousChecksum, traceparents, events, checksum, bytes };
}

function readEvent(reader: ByteReader): EventRecord {
  const length = reader.length();
  const end = reader.at + length;
  const outerEnd = reader.end;
  reader.end = end;
  let type = '';
  let version = 0;
  let payload: Uint8Array = EMPTY;
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case 0x0a:
        type = readType(reader);
        break;
      case 0x10:
        version = reader.varint();
        break;
      case 0x1a:
        payload = reader.view();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  reader.end = outerEnd;
  return { type, version, payload };
}

const knownTypes = new Map<string, string>();

function readType(reader: ByteReader): string {
  const type = reader.string();
  const known = knownTypes.get(type);
  if (known !== undefined) return known;
  if (knownTypes.size < 1_000) knownTypes.set(type, type);
  return type;
}

/** Checks the bytes against their own checksum: one flipped bit is found. */
export function verifyChecksum(partition: number, sequence: number, bytes: Uint8Array): void {
  const end = bytes.length - CHECKSUM_FIELD_BYTES;
  if (end < 0 || bytes[end] !== CHECKSUM_TAG || bytes[end + 1] !== CHECKSUM_BYTES) {
    throw new CorruptCommitError(partition, sequence, 'the commit does not end with a checksum: it was cut');
  }
  // As text: a digest that is a buffer of its own costs more than hashing a small commit.
  const expected = hash('sha256', bytes.subarray(0, end), 'binary');
  if (Buffer.from(bytes.buffer, bytes.byteOffset + end + 2, CHECKSUM_BYTES).toString('binary') !== expected)
    throw new CorruptCommitError(partition, sequence, 'the checksum does not match: the commit was changed');
}

/** Where a reader of a partition's log stands; checks that what it reads next continues it. */
export interface LogPosition {
  readonly incarnation: Uint8Array;
  /** Of the log before it was restored: its older commits may carry them. */
  readonly formerIncarnations?: readonly Uint8Array[];
  readonly partition: number;
  readonly sequence: number;
  /** Checksum of that commit; undefined: not known (the next one is taken on trust for its predecessor). */
  readonly checksum: Uint8Array | undefined;
}

/** Where reading a partition from its first commit on begins. */
export function beginningOf(log: { readonly incarnation: string; readonly formerIncarnations?: readonly string[] }, partition: number): LogPosition {
  const formerIncarnations = (log.formerIncarnations ?? []).map((former) => Buffer.from(former, 'hex'));
  return { incarnation: Buffer.from(log.incarnation, 'hex'), formerIncarnations, partition, sequence: 0, checksum: NO_CHECKSUM };
}

/** Reads and checks the next commit of a partition. Throws CorruptCommitError naming partition and sequence. */
export function readNextCommit(position: LogPosition, bytes: Uint8Array): DecodedCommit {
  const sequence = position.sequence + 1;
  verifyChecksum(position.partition, sequence, bytes);
  let commit: DecodedCommit;
  try {
    commit = readCommit(bytes);
  } catch (error) {
    if (error instanceof MalformedMessageError) throw new CorruptCommitError(position.partition, sequence, error.message);
    throw error;
  }
  if (commit.partition !== position.partition || commit.sequence !== sequence) {
    throw new CorruptCommitError(position.partition, sequence, `the record holds partition ${commit.partition}, sequence ${commit.sequence}`);
  }
  if (!isOfLog(position, commit.incarnation))
    throw new CorruptCommitError(position.partition, sequence, 'the commit belongs to another incarnation of the log');
  if (position.checksum !== undefined && !equal(commit.previousChecksum, position.checksum)) {
    throw new CorruptCommitError(position.partition, sequence, 'the commit does not continue its predecessor: one of them was changed or is missing');
  }
  return commit;
}

function isOfLog({ incarnation, formerIncarnations = [] }: LogPosition, found: Uint8Array): boolean {
  return equal(found, incarnation) || formerIncarnations.some((former) => equal(found, former));
}

function equal(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && Buffer.compare(left, right) === 0;
}

const EMPTY = new Uint8Array(0);

/** Starts and ends of attempts, which are most of what a busy queue records: read and written by hand, with plain numbers. The generated codec is the oracle. */
import * as events from '../generated/sluice/task/v1/events';
import { TaskFailure, TaskResult } from '../generated/sluice/task/v1/task';
import type { EventCodec } from '../events/event-definition';
import { ByteReader } from '../wire/byte-reader';
import { ByteWriter } from '../wire/byte-writer';
import { SharedText } from '../wire/shared-text';

type Numbered<Message> = { readonly [Field in keyof Message]: Message[Field] extends bigint ? number : Message[Field] };

export type AttemptStart = Numbered<events.AttemptStart>;
export type AttemptEnd = Numbered<events.AttemptEnd>;

export interface AttemptsStarted {
  readonly queue: string;
  readonly workerId: string;
  readonly keepsLimits: boolean;
  readonly starts: AttemptStart[];
}

export interface AttemptsEnded {
  readonly queue: string;
  readonly ends: AttemptEnd[];
}

const STARTED = { QUEUE: 0x0a, WORKER_ID: 0x12, STARTS: 0x1a, KEEPS_LIMITS: 0x20 } as const;
const START = { NUMBER: 0x08, ATTEMPT: 0x10, TYPE: 0x1a, SUBMITTED: 0x20, FIRST_STARTED: 0x28 } as const;
const ENDED = { QUEUE: 0x0a, ENDS: 0x12 } as const;
const END = {
  NUMBER: 0x08,
  ATTEMPT: 0x10,
  OUTCOME: 0x18,
  RESULT: 0x22,
  FAILURE: 0x2a,
  RETRY_AT: 0x30,
  TYPE: 0x3a,
  SUBMITTED: 0x40,
  STARTED: 0x48,
  WORKER_ID: 0x52,
  FIRST_STARTED: 0x58,
  NOTE: 0x62,
  COUNTED: 0x68,
} as const;
const TYPICAL_BYTES = 64;

export const attemptsStartedCodec: EventCodec<AttemptsStarted> = {
  encode: (event) => finished(event.starts.length, (writer) => writeAttemptsStarted(writer, event)),
  decode: (payload) => readStarted(Buffer.from(payload.buffer, payload.byteOffset, payload.length)),
  toJSON: (event) =>
    events.AttemptsStarted.toJSON({
      ...event,
      starts: event.starts.map((start) => ({
        ...start,
        number: BigInt(start.number),
        submittedAtUs: BigInt(start.submittedAtUs),
        firstStartedAtUs: BigInt(start.firstStartedAtUs),
      })),
    }),
};

export const attemptsEndedCodec: EventCodec<AttemptsEnded> = {
  encode: (event) => finished(event.ends.length, (writer) => writeAttemptsEnded(writer, event)),
  decode: (payload) => readEnded(Buffer.from(payload.buffer, payload.byteOffset, payload.length)),
  toJSON: (event) =>
    events.AttemptsEnded.toJSON({
      ...event,
      ends: event.ends.map((end) => ({
        ...end,
        number: BigInt(end.number),
        retryAtUs: BigInt(end.retryAtUs),
        submittedAtUs: BigInt(end.submittedAtUs),
        startedAtUs: BigInt(end.startedAtUs),
        firstStartedAtUs: BigInt(end.firstStartedAtUs),
        countedUs: BigInt(end.countedUs),
      })),
    }),
};

function finished(items: number, write: (writer: ByteWriter) => void): { finish(): Uint8Array } {
  return {
    finish() {
      const writer = new ByteWriter(TYPICAL_BYTES * (items + 1));
      write(writer);
      return writer.bytes.subarray(0, writer.at);
    },
  };
}

// ---- writing ----

/** Writes the fields of the event. */
export function writeAttemptsStarted(writer: ByteWriter, { queue, workerId, keepsLimits, starts }: AttemptsStarted): void {
  writer.stringField(STARTED.QUEUE, queue);
  writer.stringField(STARTED.WORKER_ID, workerId);
  for (const { number, attempt, type, submittedAtUs, firstStartedAtUs } of starts) {
    const start = writer.open(STARTED.STARTS);
    writer.numberField(START.NUMBER, number);
    writer.numberField(START.ATTEMPT, attempt);
    writer.stringField(START.TYPE, type);
    writer.numberField(START.SUBMITTED, submittedAtUs);
    writer.numberField(START.FIRST_STARTED, firstStartedAtUs);
    writer.close(start);
  }
  if (keepsLimits) writer.numberField(STARTED.KEEPS_LIMITS, 1);
}

/** Writes the fields of the event. */
export function writeAttemptsEnded(writer: ByteWriter, { queue, ends }: AttemptsEnded): void {
  writer.stringField(ENDED.QUEUE, queue);
  for (const attempt of ends) {
    const end = writer.open(ENDED.ENDS);
    writer.numberField(END.NUMBER, attempt.number);
    writer.numberField(END.ATTEMPT, attempt.attempt);
    writer.numberField(END.OUTCOME, attempt.outcome);
    if (attempt.result !== undefined) writer.bytesField(END.RESULT, TaskResult.encode(attempt.result).finish());
    if (attempt.failure !== undefined) writer.bytesField(END.FAILURE, TaskFailure.encode(attempt.failure).finish());
    writer.numberField(END.RETRY_AT, attempt.retryAtUs);
    writer.stringField(END.TYPE, attempt.type);
    writer.numberField(END.SUBMITTED, attempt.submittedAtUs);
    writer.numberField(END.STARTED, attempt.startedAtUs);
    writer.stringField(END.WORKER_ID, attempt.workerId);
    writer.numberField(END.FIRST_STARTED, attempt.firstStartedAtUs);
    writer.stringField(END.NOTE, attempt.note);
    writer.numberField(END.COUNTED, attempt.countedUs);
    writer.close(end);
  }
}

// ---- reading ----

type Changing<Message> = { -readonly [Field in keyof Message]: Message[Field] };

function readStarted(payload: Buffer): AttemptsStarted {
  const reader = new ByteReader(payload, 0, payload.length);
  const event = { queue: '', workerId: '', keepsLimits: false, starts: [] as AttemptStart[] };
  const types = new SharedText(payload, 'utf8');
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === STARTED.QUEUE) event.queue = reader.string();
    else if (tag === STARTED.WORKER_ID) event.workerId = reader.string();
    else if (tag === STARTED.KEEPS_LIMITS) event.keepsLimits = reader.varint() !== 0;
    else if (tag === STARTED.STARTS) event.starts.push(within(reader, (part) => readStart(part, types)));
    else reader.skip(tag & 7);
  }
  return event;
}

function readStart(reader: ByteReader, types: SharedText): AttemptStart {
  const start: Changing<AttemptStart> = { number: 0, attempt: 0, type: '', submittedAtUs: 0, firstStartedAtUs: 0 };
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case START.NUMBER:
        start.number = reader.varint();
        break;
      case START.ATTEMPT:
        start.attempt = reader.varint();
        break;
      case START.TYPE:
        start.type = sharedText(reader, types);
        break;
      case START.SUBMITTED:
        start.submittedAtUs = reader.varint();
        break;
      case START.FIRST_STARTED:
        start.firstStartedAtUs = reader.varint();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return start;
}

function readEnded(payload: Buffer): AttemptsEnded {
  const reader = new ByteReader(payload, 0, payload.length);
  const event = { queue: '', ends: [] as AttemptEnd[] };
  const texts = { types: new SharedText(payload, 'utf8'), workers: new SharedText(payload, 'utf8') };
  while (!reader.done) {
    const tag = reader.varint();
    if (tag === ENDED.QUEUE) event.queue = reader.string();
    else if (tag === ENDED.ENDS) event.ends.push(within(reader, (part) => readEnd(part, texts)));
    else reader.skip(tag & 7);
  }
  return event;
}

function readEnd(reader: ByteReader, { types, workers }: { readonly types: SharedText; readonly workers: SharedText }): AttemptEnd {
  const end: Changing<AttemptEnd> = {
    number: 0,
    attempt: 0,
    outcome: 0,
    result: undefined,
    failure: undefined,
    retryAtUs: 0,
    type: '',
    submittedAtUs: 0,
    startedAtUs: 0,
    workerId: '',
    firstStartedAtUs: 0,
    note: '',
    countedUs: 0,
  };
  while (!reader.done) {
    const tag = reader.varint();
    switch (tag) {
      case END.NUMBER:
        end.number = reader.varint();
        break;
      case END.ATTEMPT:
        end.attempt = reader.varint();
        break;
      case END.OUTCOME:
        end.outcome = reader.varint();
        break;
      case END.RESULT:
        end.result = TaskResult.decode(reader.view());
        break;
      case END.FAILURE:
        end.failure = TaskFailure.decode(reader.view());
        break;
      case END.RETRY_AT:
        end.retryAtUs = reader.varint();
        break;
      case END.TYPE:
        end.type = sharedText(reader, types);
        break;
      case END.SUBMITTED:
        end.submittedAtUs = reader.varint();
        break;
      case END.STARTED:
        end.startedAtUs = reader.varint();
        break;
      case END.WORKER_ID:
        end.workerId = sharedText(reader, workers);
        break;
      case END.FIRST_STARTED:
        end.firstStartedAtUs = reader.varint();
        break;
      case END.NOTE:
        end.note = reader.string();
        break;
      case END.COUNTED:
        end.countedUs = reader.varint();
        break;
      default:
        reader.skip(tag & 7);
    }
  }
  return end;
}

/** Reads a message that is a field. */
function within<Part>(reader: ByteReader, read: (reader: ByteReader) => Part): Part {
  const length = reader.length();
  const { end } = reader;
  reader.end = reader.at + length;
  const part = read(reader);
  reader.end = end;
  return part;
}

/** Reads a field of text that comes again and again. */
function sharedText(reader: ByteReader, text: SharedText): string {
  const length = reader.length();
  const { at } = reader;
  reader.at += length;
  return text.read(at, reader.at);
}

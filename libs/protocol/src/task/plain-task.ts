/**
 * A submitted task over the bytes in which it came. The hand-made reader of the hot path: a task that says no more than its type, payload, content type,
 * priority and key is plain. Its bytes are read once, for these fields, and are copied into the log and to the worker as they are. Every other task is
 * read by the generated codec, which is the oracle of this one (property test): the bytes of a plain task are those that it would encode.
 *
 * A submission (`TaskSubmission`) and a task of the log (`CreatedTask`) have the same bytes as long as the task is plain.
 */
import type { CreatedTask } from '../generated/sluice/task/v1/events';
import { TaskSpec } from '../generated/sluice/task/v1/task';
import { SharedText } from '../wire/shared-text';

const REQUEST_ID_TAG = 0x0a;
const SPEC_TAG = 0x12;
const TYPE_TAG = 0x0a;
const PAYLOAD_TAG = 0x12;
const CONTENT_TYPE_TAG = 0x1a;
const PRIORITY_TAG = 0x20;
const KEY_TAG = 0x2a;
const DEDUPE_RULE_TAG = 0x58;
const HIGHEST_DEDUPE_RULE = 3;
/** Texts of a plain task are shorter: their length is one byte. */
const LONG = 0x80;
const NOTHING = Buffer.alloc(0);

export class PlainTask implements CreatedTask {
  #spec: TaskSpec | undefined;

  constructor(
    readonly bytes: Buffer,
    /** Where the submission begins and ends, without tag and length. */
    readonly at: number,
    readonly end: number,
    readonly requestIdEnd: number,
    readonly specAt: number,
    readonly type: string,
    /** Where the field of the payload begins; 0: there is none. */
    readonly payloadFieldAt: number,
    readonly payloadAt: number,
    readonly payloadEnd: number,
    readonly priority: number,
    readonly key: string,
  ) {}

  get requestIdAt(): number {
    return this.at + 2;
  }

  get requestId(): string {
    return this.bytes.toString('latin1', this.requestIdAt, this.requestIdEnd);
  }

  get spec(): TaskSpec {
    this.#spec ??= TaskSpec.decode(this.bytes.subarray(this.specAt, this.end));
    return this.#spec;
  }

  get payload(): Buffer {
    return this.payloadFieldAt === 0 ? NOTHING : this.bytes.subarray(this.payloadAt, this.payloadEnd);
  }

  /** The encoded specification without its payload. */
  specWithoutPayload(): Buffer {
    const { bytes, specAt, end, payloadFieldAt, payloadEnd } = this;
    const fieldBytes = payloadFieldAt === 0 ? 0 : payloadEnd - payloadFieldAt;
    const spec = Buffer.allocUnsafe(end - specAt - fieldBytes);
    if (fieldBytes === 0) {
      bytes.copy(spec, 0, specAt, end);
      return spec;
    }
    bytes.copy(spec, 0, specAt, payloadFieldAt);
    bytes.copy(spec, payloadFieldAt - specAt, payloadEnd, end);
    return spec;
  }

  /** A plain task is started at once, no schedule made it, and it does no other task again. */
  get startAtUs(): bigint {
    return 0n;
  }

  get retryOf(): string {
    return '';
  }

  get schedule(): string {
    return '';
  }

  get scheduledAtUs(): bigint {
    return 0n;
  }
}

/** Reads the tasks of one message. */
export class PlainTaskReader {
  private readonly types: SharedText;
  private readonly keys: SharedText;
  private field = 0;
  private fieldEnd = 0;

  constructor(private readonly bytes: Buffer) {
    this.types = new SharedText(bytes, 'latin1');
    this.keys = new SharedText(bytes, 'latin1');
  }

  /** The task whose submission has these bytes; undefined: it is not plain. */
  read(at: number, end: number): PlainTask | undefined {
    const { bytes } = this;
    if (bytes[at] !== REQUEST_ID_TAG || !this.text(at, end)) return undefined;
    const requestIdEnd = this.fieldEnd;
    if (bytes[requestIdEnd] !== SPEC_TAG || !this.length(requestIdEnd + 1, end) || this.fieldEnd !== end) return undefined;
    return this.spec(at, end, requestIdEnd, this.field);
  }

  private spec(at: number, end: number, requestIdEnd: number, specAt: number): PlainTask | undefined {
    const { bytes } = this;
    if (bytes[specAt] !== TYPE_TAG || !this.text(specAt, end)) return undefined;
    const type = this.types.read(this.field, this.fieldEnd);
    let next = this.fieldEnd;
    let payloadFieldAt = 0;
    let payloadAt = 0;
    let payloadEnd = 0;
    if (next < end && bytes[next] === PAYLOAD_TAG) {
      if (!this.length(next + 1, end) || this.fieldEnd === this.field) return undefined;
      payloadFieldAt = next;
      payloadAt = this.field;
      payloadEnd = this.fieldEnd;
      next = payloadEnd;
    }
    if (next < end && bytes[next] === CONTENT_TYPE_TAG) {
      if (!this.text(next, end)) return undefined;
      next = this.fieldEnd;
    }
    let priority = 0;
    if (next < end && bytes[next] === PRIORITY_TAG) {
      priority = this.sint32(next + 1, end);
      if (priority === 0) return undefined;
      next = this.fieldEnd;
    }
    let key = '';
    if (next < end && bytes[next] === KEY_TAG) {
      if (!this.text(next, end)) return undefined;
      key = this.keys.read(this.field, this.fieldEnd);
      next = this.fieldEnd;
    }
    if (next < end && !this.isRule(next, end)) return undefined;
    return new PlainTask(bytes, at, end, requestIdEnd, specAt, type, payloadFieldAt, payloadAt, payloadEnd, priority, key);
  }

  /** A dedupe rule is all that is left: without a key it says nothing. */
  private isRule(at: number, end: number): boolean {
    const { bytes } = this;
    const rule = bytes[at + 1] as number;
    return bytes[at] === DEDUPE_RULE_TAG && at + 2 === end && rule > 0 && rule <= HIGHEST_DEDUPE_RULE;
  }

  /** A text of 1 to 127 characters of ASCII, from its tag on. */
  private text(tagAt: number, end: number): boolean {
    const { bytes } = this;
    const length = tagAt + 1 < end ? (bytes[tagAt + 1] as number) : 0;
    const from = tagAt + 2;
    const to = from + length;
    if (length === 0 || length >= LONG || to > end) return false;
    for (let at = from; at < to; at += 1) if ((bytes[at] as number) >= LONG) return false;
    this.field = from;
    this.fieldEnd = to;
    return true;
  }

  /** A length as short as can be, and what is behind it. */
  private length(from: number, end: number): boolean {
    const { bytes } = this;
    let at = from;
    let length = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) return false;
      const byte = bytes[at] as number;
      at += 1;
      length |= (byte & 0x7f) << shift;
      if (byte >= LONG) continue;
      if (byte === 0 && shift > 0) return false;
      this.field = at;
      this.fieldEnd = at + length;
      return this.fieldEnd <= end;
    }
    return false;
  }

  /** 0: it is not one as the generated codec writes it. */
  private sint32(from: number, end: number): number {
    const { bytes } = this;
    let at = from;
    let bits = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (at >= end) return 0;
      const byte = bytes[at] as number;
      at += 1;
      bits |= (byte & 0x7f) << shift;
      if (byte >= LONG) continue;
      if (byte === 0) return 0;
      this.fieldEnd = at;
      return (bits >>> 1) ^ -(bits & 1);
    }
    return 0;
  }
}

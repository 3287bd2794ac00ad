/**
 * One type of event with all versions that a log may hold. An event is never changed: when its schema changes, it gets a further
 * version, and an upcaster that turns the version before into it. Readers get the newest version, whatever was written.
 */

import { encodeMessage, type MessageEncoder } from '../wire/encode-message';

/** What ts-proto generates for a message. */
export interface EventCodec<Message> extends MessageEncoder<Message> {
  decode(bytes: Uint8Array): Message;
  toJSON(message: Message): unknown;
}

/** One version, as readers of today see it. */
interface EventVersion<Current> {
  /** Full name of the proto message. */
  readonly messageName: string;
  read(payload: Uint8Array): Current;
  /** The fields as they were written, in the JSON form of protobuf. */
  readable(payload: Uint8Array): unknown;
}

export class EventDefinition<Current> {
  private constructor(
    /** Version 1 first. */
    private readonly versions: readonly EventVersion<Current>[],
    private readonly codec: EventCodec<Current>,
  ) {}

  /** Version 1 of an event. */
  static first<Message>(messageName: string, codec: EventCodec<Message>): EventDefinition<Message> {
    return new EventDefinition<Message>([versionOf(messageName, codec)], codec);
  }

  /** The event with a further version. The upcaster says what an event of the version before means in it. */
  next<Next>(messageName: string, codec: EventCodec<Next>, upcast: (previous: Current) => Next): EventDefinition<Next> {
    const older = this.versions.map(
      (version): EventVersion<Next> => ({
        messageName: version.messageName,
        read: (payload) => upcast(version.read(payload)),
        readable: (payload) => version.readable(payload),
      }),
    );
    return new EventDefinition<Next>([...older, versionOf(messageName, codec)], codec);
  }

  /** The version that is written. */
  get newest(): number {
    return this.versions.length;
  }

  /** Undefined: there is no such version. */
  version(version: number): EventVersion<Current> | undefined {
    return this.versions[version - 1];
  }

  encode(current: Current): Uint8Array {
    return encodeMessage(this.codec, current);
  }
}

function versionOf<Message>(messageName: string, codec: EventCodec<Message>): EventVersion<Message> {
  return { messageName, read: (payload) => codec.decode(payload), readable: (payload) => codec.toJSON(codec.decode(payload)) };
}

/** For events that are read and written by hand: their readers get the encoded message. */
export function encodedForm<Message>(codec: EventCodec<Message>): EventCodec<Uint8Array> {
  return {
    encode: (bytes) => ({ finish: () => bytes }),
    decode: (bytes) => bytes,
    toJSON: (bytes) => codec.toJSON(codec.decode(bytes)),
  };
}

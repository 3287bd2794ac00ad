/** A bulk method whose items come one by one on a stream. They are decided in slices, as the items of a batch are; each is answered on its own. */
import type { MethodDefinition, UntypedHandleCall } from '@grpc/grpc-js';
import type { AggregateCapability } from '@sluice/engine';
import { encodePositionToken } from '@sluice/protocol';
import { bidi, type CallContext, type Send } from '@sluice/service';
import type { CommandContext } from '../command-capability';
import { BulkCommand, type BulkAnswers, type BulkShape } from './bulk-command-method';
import { bytesOnly, type ServiceMethod } from './command-method';
import { serveSlicedStream, type Slice, type SliceAnswers } from './sliced-stream';

/** How the messages of the stream hold an item and its result. */
export interface StreamShape<Message, Answer, Item, Result> {
  /** Name of the field with the item. */
  readonly field: string;
  /** The item of a message; an empty one if it has none. */
  item(message: Message): Item;
  answer(item: Item, result: Result, positionToken: string): Answer;
}

/** @param batch the method that takes the same items at once: a part of a slice goes to another owner by it. */
export function bulkStreamMethod<Request, Response, Item, Result, Message, Answer>(
  context: CommandContext,
  capability: AggregateCapability,
  method: string,
  batch: { readonly definition: MethodDefinition<Request, Response>; readonly shape: BulkShape<Request, Response, Item, Result> },
  definition: MethodDefinition<Message, Answer>,
  shape: StreamShape<Message, Answer, Item, Result>,
): ServiceMethod {
  const { incarnation } = context;
  const bulk = new BulkCommand(context, capability, method, batch.definition, batch.shape);

  const answersOf = (items: readonly Item[], { results, partitions, positions }: BulkAnswers<Result>): SliceAnswers => {
    const tokens = new Map([...positions].map((position) => [position[0], encodePositionToken({ incarnation, sequences: new Map([position]) })]));
    return {
      answer: (at) => {
        const token = tokens.get(partitions[at] as number) ?? '';
        return definition.responseSerialize(shape.answer(items[at] as Item, results[at] as Result, token));
      },
    };
  };

  const decide = (messages: readonly Buffer[], call: CallContext): Slice => {
    const { items, malformed } = readItems(messages, (message) => shape.item(definition.requestDeserialize(message)));
    const answers = bulk.answer(items, call, () => shape.field).then((answered) => answersOf(items, answered));
    return { count: items.length, malformed, answers };
  };

  const serve = (requests: AsyncIterable<Buffer>, send: Send<Buffer>, call: CallContext): Promise<void> =>
    serveSlicedStream((messages) => decide(messages, call), requests, send, call);
  return { definition: bytesOnly(definition), implementation: bidi(serve) as UntypedHandleCall };
}

/** The items before the first message that is none, and what is wrong with that. */
function readItems<Item>(messages: readonly Buffer[], read: (message: Buffer) => Item): { items: Item[]; malformed: string | undefined } {
  const items: Item[] = [];
  for (const message of messages) {
    try {
      items.push(read(message));
    } catch (error) {
      return { items, malformed: error instanceof Error ? error.message : String(error) };
    }
  }
  return { items, malformed: undefined };
}

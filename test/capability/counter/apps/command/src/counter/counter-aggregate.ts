/** The counter as an aggregate of the engine: its messages, events and record around the domain's decider. */
import { decideAddition, evolveCounter, newCounter, type AddToCounter, type Counter, type CounterAdded } from '@sluice/domain/counter';
import { commandMessage, type AggregateDefinition, type EventCodec, type StateCodec } from '@sluice/engine';
import { ByteReader, ByteWriter } from '@sluice/protocol';
import { counterEvents, counterpb } from '@sluice/protocol/counter';
import { invalidRequest } from '@sluice/service';

const addMessage = commandMessage<counterpb.AddRequest, AddToCounter>({
  messageName: 'sluice.counter.v1.AddRequest',
  codec: counterpb.AddRequest,
  keyField: 'counter_id',
  key: ({ counterId }) => counterId,
  requestId: ({ requestId }) => requestId,
  command: ({ amount }) => {
    if (amount === 0n) throw invalidRequest('amount', 'is zero: there is nothing to add');
    return { amount };
  },
});

const events: EventCodec<CounterAdded> = {
  write: ({ amount, valueAfter, additionNumber }, counterId) =>
    counterEvents.record('CounterAdded', { counterId, amount, valueAfter, additionNumber: BigInt(additionNumber) }),
  read: (event, place) =>
    counterEvents.read(
      event,
      place,
      { CounterAdded: ({ amount, valueAfter, additionNumber }) => ({ amount, valueAfter, additionNumber: Number(additionNumber) }) },
      undefined,
    ),
};

/** value (sint64) | additions */
const record: StateCodec<Counter> = {
  version: 1,
  encode: ({ value, additions }) => {
    const writer = new ByteWriter(32);
    writer.sint64Field(0x08, value);
    writer.numberField(0x10, additions);
    return writer.copy();
  },
  decode: (bytes) => {
    const counter = newCounter();
    for (const reader = new ByteReader(bytes, 0, bytes.length); !reader.done; ) {
      if (reader.varint() === 0x08) counter.value = reader.sint64();
      else counter.additions = reader.varint();
    }
    return counter;
  },
};

/** @param largestAddition what one request may add or take away. A repeat of one that was accepted has its answer, whatever this is now. */
export const counterAggregate = (largestAddition: number): AggregateDefinition<Counter, AddToCounter, CounterAdded> => ({
  capability: 'counter',
  aggregate: 'counter',
  record,
  events,
  commands: { Add: addMessage },
  initialState: newCounter,
  decide: (counter, command) => {
    if (command.amount > largestAddition || -command.amount > largestAddition)
      return { accepted: false, reason: 'COUNTER_ADDITION_TOO_LARGE', recorded: false };
    const decision = decideAddition(counter, command);
    if (!decision.accepted) return { accepted: false, reason: decision.rejection, recorded: true };
    const { event } = decision;
    const reply = counterpb.AddResponse.encode({ value: event.valueAfter, repeated: false, positionToken: '' }).finish();
    return { accepted: true, events: [event], reply };
  },
  evolve: evolveCounter,
});

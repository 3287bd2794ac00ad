import { fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt';
import { fileDescriptors } from '../descriptors';
import { accountpb } from '../account';
import { encodedForm, type EventCodec, EventDefinition } from './event-definition';
import { EventTable, UnknownEventError } from './event-table';
import { EVENT_TABLES, eventTableOf } from './event-tables';

const PLACE = { partition: 3, sequence: 17 };

/** JSON takes the place of protobuf. */
function json<Message>(): EventCodec<Message> {
  return {
    encode: (message) => ({ finish: () => Buffer.from(JSON.stringify(message)) }),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as Message,
    toJSON: (message) => message,
  };
}

// A door whose event was changed twice: metres became centimetres, then a colour came in.
interface PaintedV1 {
  readonly metres: number;
}
interface PaintedV2 {
  readonly centimetres: number;
}
interface PaintedV3 extends PaintedV2 {
  readonly colour: string;
}

const doors = new EventTable('door', {
  Painted: EventDefinition.first('door.v1.Painted', json<PaintedV1>())
    .next('door.v2.Painted', json<PaintedV2>(), ({ metres }) => ({ centimetres: metres * 100 }))
    .next('door.v3.Painted', json<PaintedV3>(), (painted) => ({ ...painted, colour: 'white' })),
  Opened: EventDefinition.first('door.v1.Opened', json<{ readonly angle: number }>()),
});

const handlers = {
  Painted: ({ centimetres, colour }: PaintedV3, said: string[]) => said.push(`${centimetres} cm ${colour}`),
  Opened: ({ angle }: { readonly angle: number }, said: string[]) => said.push(`${angle} degrees`),
};

const event = (type: string, version: number, fields: unknown) => ({ type, version, payload: Buffer.from(JSON.stringify(fields)) });

test.each`
  type              | version | fields                                 | says
  ${'door.Painted'} | ${1}    | ${{ metres: 2 }}                       | ${'200 cm white'}
  ${'door.Painted'} | ${2}    | ${{ centimetres: 210 }}                | ${'210 cm white'}
  ${'door.Painted'} | ${3}    | ${{ centimetres: 220, colour: 'red' }} | ${'220 cm red'}
  ${'door.Opened'}  | ${1}    | ${{ angle: 90 }}                       | ${'90 degrees'}
`(
  '$type version $version is read as the newest version',
  ({ type, version, fields, says }: { type: string; version: number; fields: object; says: string }) => {
    const said: string[] = [];
    doors.read(event(type, version, fields), PLACE, handlers, said);
    expect(said).toEqual([says]);
    // People see it as it was written.
    expect(doors.readable(type, version, event(type, version, fields).payload)).toEqual(fields);
  },
);

test.each`
  type               | version
  ${'door.Painted'}  | ${4}
  ${'door.Painted'}  | ${0}
  ${'door.Opened'}   | ${2}
  ${'door.Painted2'} | ${1}
  ${'window.Opened'} | ${1}
  ${'door.toString'} | ${1}
`('$type version $version is not known, and the error says where it stands', ({ type, version }: { type: string; version: number }) => {
  const unknown = event(type, version, {});
  const message = `partition 3, sequence 17: event "${type}" version ${version} is not known to this version of Sluice; deploy readers before writers`;
  expect(() => doors.read(unknown, PLACE, handlers, [])).toThrow(new UnknownEventError(3, 17, type, version));
  expect(() => doors.assertKnown(unknown, PLACE)).toThrow(message);
  expect([doors.messageName(type, version), doors.readable(type, version, unknown.payload)]).toEqual([undefined, undefined]);
});

test('an event can be read by its name alone', () => {
  expect(doors.readOnly('Painted', event('door.Painted', 1, { metres: 2 }), PLACE)).toEqual({ centimetres: 200, colour: 'white' });
  expect(doors.readOnly('Painted', event('door.Opened', 1, { angle: 3 }), PLACE)).toBeUndefined();
  expect(() => doors.readOnly('Painted', event('door.Painted', 9, {}), PLACE)).toThrow(UnknownEventError);
});

test('an event is written in its newest version', () => {
  const record = doors.record('Painted', { centimetres: 5, colour: 'blue' });
  expect(record).toMatchObject({ type: 'door.Painted', version: 3 });
  expect(doors.readable(record.type, record.version, record.payload)).toEqual({ centimetres: 5, colour: 'blue' });
  expect(doors.known().map(({ type, version }) => `${type}/${version}`)).toEqual(['door.Painted/1', 'door.Painted/2', 'door.Painted/3', 'door.Opened/1']);
});

test('a table owns the types that begin with its name and a dot', () => {
  expect(['door.Opened', 'door.Burnt', 'doors.Opened', 'doo.Opened', 'door'].map((type) => doors.owns(type))).toEqual([true, true, false, false, false]);
});

test('an event in its encoded form is handed on as it is, and shown decoded', () => {
  const form = encodedForm(accountpb.AccountOpened);
  const bytes = accountpb.AccountOpened.encode(accountpb.AccountOpened.fromPartial({ accountId: 'alice' })).finish();
  expect(form.decode(bytes)).toBe(bytes);
  expect(form.encode(bytes).finish()).toBe(bytes);
  expect(form.toJSON(bytes)).toEqual({ accountId: 'alice' });
});

describe('the tables of all capabilities', () => {
  test('each has a name of its own and leads to itself', () => {
    expect(new Set(EVENT_TABLES.map(({ capability }) => capability)).size).toBe(EVENT_TABLES.length);
    for (const table of EVENT_TABLES) for (const { type } of table.known()) expect(eventTableOf(type)).toBe(table);
    expect(eventTableOf('window.Opened')).toBeUndefined();
  });

  test('every version of every event is a message of the protos', () => {
    const messages = fileDescriptors()
      .map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes))
      .flatMap((file) => file.messageType.map(({ name }) => `${file.package}.${name}`));
    const named = EVENT_TABLES.flatMap((table) => table.known().map(({ type, version }) => table.messageName(type, version)));
    expect(named.filter((name) => name === undefined || !messages.includes(name))).toEqual([]);
  });
});

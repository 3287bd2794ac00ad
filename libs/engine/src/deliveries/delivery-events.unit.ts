/** The events of deliveries as logs hold them, for ever: what is written today, and what a room makes of it. */
import { logEvents, type logpb, OwedDeliveriesWriter, type DecodedCommit } from '@sluice/protocol';
import { DELIVERY_EVENTS, DeliveryRoom } from './delivery-room';

const CHECKSUM = Buffer.alloc(32, 7);
const COMMIT = { partition: 1, sequence: 9, checksum: CHECKSUM } as unknown as DecodedCommit;

type Name = 'DeliveriesOwed' | 'DeliveriesTaken' | 'DeliveriesSettled' | 'DeliveriesDead' | 'DeliveriesRedriven';

function owed(): Uint8Array {
  const writer = new OwedDeliveriesWriter({ target: 2, owedBy: 'account', capability: 'contest', method: 'Score' }, 1);
  writer.add('{live}-1', Buffer.from('first'), 'wallet-1');
  writer.add('', Buffer.alloc(0), '');
  writer.add('ö', Buffer.from('third'), 'wallet-2');
  return writer.finish().bytes;
}

const taken: logpb.DeliveriesTaken = {
  source: 3,
  firstNumber: 1n,
  lastNumber: 4n,
  verdicts: [
    { number: 1n, rejected: true, reason: 'NO_FUNDS', answer: Buffer.alloc(0) },
    { number: 2n, rejected: false, reason: '', answer: Buffer.from('answer') },
  ],
  deadNumbers: [3n],
  redriven: [],
  recordedThrough: 1n,
  lowestDeadNumber: 0n,
  anchor: { sequence: 8n, checksum: CHECKSUM },
};

const pinned: { readonly [Event in Name]: { readonly payload: () => Uint8Array; readonly hex: string } } = {
  DeliveriesOwed: {
    payload: owed,
    hex: '080210011a076163636f756e742207636f6e746573742a0553636f7265329b8080000a087b6c6976657d2d31120566697273741a0877616c6c65742d31328080800032958080000a02c3b6120574686972641a0877616c6c65742d32',
  },
  DeliveriesTaken: {
    payload: () => logEvents.record('DeliveriesTaken', taken).payload,
    hex: '080310011804220e080110011a084e4f5f46554e4453220a08022206616e737765722a010338014a24080812200707070707070707070707070707070707070707070707070707070707070707',
  },
  DeliveriesSettled: {
    payload: () =>
      logEvents.record('DeliveriesSettled', {
        target: 2,
        firstNumber: 1n,
        lastNumber: 2n,
        rejections: [{ number: 2n, reason: 'NO_FUNDS' }],
        resolvedNumbers: [],
      }).payload,
    hex: '080210011802220c080212084e4f5f46554e4453',
  },
  DeliveriesDead: {
    payload: () => logEvents.record('DeliveriesDead', { target: 2, letters: [{ number: 3n, reason: 'no such method', attempts: 10 }] }).payload,
    hex: '080212140803120e6e6f2073756368206d6574686f64180a',
  },
  DeliveriesRedriven: { payload: () => logEvents.record('DeliveriesRedriven', { target: 2, numbers: [3n] }).payload, hex: '0802120103' },
};

const NAMES = Object.keys(pinned) as Name[];

test.each(NAMES)('%s is written as it always was', (name) => {
  expect(logEvents.written(name).version).toBe(1);
  expect(Buffer.from(pinned[name].payload()).toString('hex')).toBe(pinned[name].hex);
});

test('a room makes of the pinned events what it always did', () => {
  const room = new DeliveryRoom(1, 4, 1 << 20);
  const none = (): undefined => undefined;
  for (const name of NAMES) {
    const event = { ...logEvents.written(name), payload: Buffer.from(pinned[name].hex, 'hex') };
    const handlers = {
      ...DELIVERY_EVENTS,
      OwnershipTaken: none,
      RequestDecided: none,
      RequestsDecided: none,
      TimersSet: none,
      TimersCancelled: none,
      TimersFired: none,
    };
    logEvents.read(event, COMMIT, handlers, { room, commit: COMMIT });
  }
  const outgoing = room.outgoingTo(2);
  expect({ owed: outgoing.owed, settled: outgoing.settled, dead: [...outgoing.dead.values()] }).toEqual({
    owed: 3,
    settled: 2,
    dead: [{ number: 3, reason: 'no such method', attempts: 10, sequence: 9, redriven: true }],
  });
  expect(outgoing.window.partOf(3)).toMatchObject({ firstNumber: 1, count: 3, owedBy: 'account', capability: 'contest', method: 'Score' });
  const incoming = room.incomingFrom(3);
  expect({ taken: incoming.taken, recordedThrough: incoming.recordedThrough, dead: [...incoming.dead], anchor: incoming.anchor }).toEqual({
    taken: 4,
    recordedThrough: 1,
    dead: [3],
    anchor: { sequence: 8n, checksum: CHECKSUM },
  });
  expect([2, 3, 4].map((number) => incoming.verdictOn(number)?.accepted)).toEqual([true, undefined, true]);
});

/** The timers of a partition from its log, and from a snapshot that was written while turns went on. */
import fc from 'fast-check';
import type { EventRecord } from '@sluice/protocol';
import { logEvents } from '@sluice/protocol';
import type { InternalVerdict } from '../internal/internal-command';
import type { Turn } from '../partition/turn';
import { TimerRoom } from './timer-room';

const SEEDS = { first: 1, second: 2 };

const operation = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('set' as const),
      key: fc.constantFrom('a', 'b'),
      timerId: fc.integer({ min: 0, max: 30 }).map(String),
      dueAtUs: fc.integer({ min: 0, max: 100 }),
      payload: fc.uint8Array({ maxLength: 20 }),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant('cancel' as const), key: fc.constantFrom('a', 'b'), timerId: fc.integer({ min: 0, max: 30 }).map(String) }),
  },
  // Verdicts: accepted, rejected, undecidable. The decision may set and cancel, too.
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('fire' as const),
      untilUs: fc.integer({ min: 0, max: 100 }),
      verdicts: fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 1, maxLength: 5 }),
      again: fc.boolean(),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('endTurn' as const) }) },
);
type Operation = typeof operation extends fc.Arbitrary<infer Value> ? Value : never;

const VERDICTS: readonly InternalVerdict[] = [
  { kind: 'accepted', payload: new Uint8Array(0) },
  { kind: 'rejected', reason: 'TOO_LATE', payload: new Uint8Array(0) },
  { kind: 'undecidable', reason: 'not known' },
];

/** A room whose turns end in events. */
class Recorded {
  readonly room = new TimerRoom(SEEDS);
  readonly events: EventRecord[] = [];
  private readonly turn = { event: (type: string, version: number, payload: Uint8Array) => void this.events.push({ type, version, payload }) } as Turn;

  do(asked: Operation): void {
    const { room, turn } = this;
    switch (asked.kind) {
      case 'set':
        room.set(turn, { capability: 'task', method: 'Start', ...asked });
        return;
      case 'cancel':
        room.cancel(turn, { capability: 'task', ...asked });
        return;
      case 'fire':
        room.fire(
          {
            untilUs: asked.untilUs,
            maximumCommands: 7,
            maximumRecordBytes: 1 << 20,
            throwing: { reasonOf: () => undefined, threw: () => undefined },
            recordBytesOf: () => undefined,
          },
          (commands) => {
            const verdicts: InternalVerdict[] = [];
            for (const [at, { capability, key, id }] of commands.entries()) {
              const timerId = id.split('-')[1] as string;
              const verdict = VERDICTS[asked.verdicts[at % asked.verdicts.length] as number] as InternalVerdict;
              if (asked.again) room.set(turn, { capability, method: 'Start', key, timerId, dueAtUs: 90, payload: new Uint8Array(0) });
              else room.cancel(turn, { capability, key, timerId });
              verdicts.push(verdict);
              if (verdict.kind === 'undecidable') break;
            }
            return verdicts;
          },
        );
        return;
      case 'endTurn':
        room.flush(turn);
        return;
      default:
        asked satisfies never;
    }
  }

  endTurn(): void {
    this.room.flush(this.turn);
  }
}

/** What is pending, first due first; parked ones too, because the log does not know which are. */
function contentOf({ pending }: TimerRoom): unknown[] {
  const timers = [];
  for (let slot = 0; slot < pending.slots; slot += 1) if (pending.isPending(slot)) timers.push(pending.read(slot));
  return timers
    .sort((left, right) => left.dueAtUs - right.dueAtUs || left.number - right.number)
    .map(({ payload, ...timer }) => ({ ...timer, payload: Buffer.from(payload).toString('hex') }));
}

function replayed(events: readonly EventRecord[]): TimerRoom {
  const room = new TimerRoom(SEEDS);
  for (const event of events) {
    const steps = logEvents.read(
      event,
      { partition: 1, sequence: 1 },
      {
        OwnershipTaken: (): Iterable<number> => [],
        RequestDecided: () => [],
        RequestsDecided: () => [],
        DeliveriesOwed: () => [],
        DeliveriesTaken: () => [],
        DeliveriesSettled: () => [],
        DeliveriesDead: () => [],
        DeliveriesRedriven: () => [],
        TimersSet: (set) => room.replaySet(set),
        TimersCancelled: ({ numbers }) => room.replayEnded(numbers),
        TimersFired: ({ numbers }) => room.replayEnded(numbers),
      },
      undefined,
    );
    for (const _ of steps);
  }
  return room;
}

test('whatever turns do, the log says it: a room that is replayed holds the same timers under the same numbers', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 200 }), (operations) => {
      const recorded = new Recorded();
      for (const asked of operations) recorded.do(asked);
      recorded.endTurn();
      expect(contentOf(replayed(recorded.events))).toEqual(contentOf(recorded.room));
    }),
    { numRuns: 150 },
  );
});

test('a snapshot holds what was pending when it began, whatever happens while it is written', () => {
  fc.assert(
    fc.property(
      fc.array(operation, { maxLength: 100 }),
      fc.array(operation, { maxLength: 100 }),
      fc.integer({ min: 1, max: 20 }),
      (before, meanwhile, stepEvery) => {
        const recorded = new Recorded();
        for (const asked of before) recorded.do(asked);
        recorded.endTurn();
        const expected = contentOf(recorded.room);
        const session = recorded.room.beginSnapshot(3);
        const blocks: Uint8Array[] = [];
        const take = (): boolean => {
          const block = session.next();
          if (block !== undefined) blocks.push(block);
          return block !== undefined;
        };
        for (const [at, asked] of meanwhile.entries()) {
          if (at % stepEvery === stepEvery - 1) take();
          recorded.do(asked);
        }
        while (take());
        session.end();
        const restored = new TimerRoom(SEEDS);
        for (const block of blocks) restored.restore(block, 1);
        expect(contentOf(restored)).toEqual(expected);
        // It goes on with the numbers where the snapshot began.
        const first = new Recorded();
        for (const asked of before) first.do(asked);
        first.endTurn();
        const next = { kind: 'set', key: 'new', timerId: 'new', dueAtUs: 1, payload: new Uint8Array(0) } as const;
        for (const room of [restored, first.room]) room.set({} as Turn, { capability: 'task', method: 'Start', ...next });
        expect(contentOf(restored)).toEqual(contentOf(first.room));
      },
    ),
    { numRuns: 150 },
  );
});

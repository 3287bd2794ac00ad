import { type PartitionServices, Turn } from '@sluice/engine';
import { ManualClock } from '@sluice/memory';
import { CommitWriter, NO_CHECKSUM } from '@sluice/protocol';
import { taskpb } from '@sluice/protocol/task';
import { type QueueListener, QueuesState } from './queues-state';

const ROOM = { flush: () => undefined };
const ROOMS = { deliveries: ROOM, timers: ROOM } as unknown as ConstructorParameters<typeof Turn>[3];

test('a queue of which a worker that waits for another one is given a task is told as changed, too', () => {
  const clock = new ManualClock();
  const touched: string[] = [];
  let offered = (_turn: Turn): number => 0;
  const listener: QueueListener = {
    offer: (turn) => offered(turn),
    touched: (_partition, { queue }) => touched.push(queue.name),
    wakes: () => undefined,
    cut: () => undefined,
  };
  const state = new QueuesState({ partition: 0 } as PartitionServices, clock, listener);
  const inTurn = (sequence: number, decide: (turn: Turn) => void): void => {
    const writer = new CommitWriter();
    const nowUs = clock.nowUs();
    writer.begin({ incarnation: Buffer.alloc(16), partition: 0, sequence, epoch: 1, committedAtUs: nowUs, previousChecksum: NO_CHECKSUM }, []);
    const turn = new Turn(sequence, nowUs, writer, ROOMS, []);
    state.begin(turn);
    decide(turn);
    turn.close();
  };
  const create = (turn: Turn, queue: string): number =>
    state.create(turn, state.entry(queue), taskpb.CreatedTask.fromPartial({ requestId: 'r', spec: { type: 'mail' } }));

  inTurn(1, (turn) => create(turn, 'other'));
  touched.length = 0;
  offered = (turn) => {
    state.start(turn, state.entry('other'), 1, 1, { workerId: 'w', keepsLimits: false });
    return 1;
  };
  inTurn(2, (turn) => create(turn, 'q'));
  expect(touched).toEqual(['q', 'other']);
});

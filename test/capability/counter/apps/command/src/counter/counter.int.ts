/** Counters over memory adapters: answered, answered again after a restart, refused for ever. */
import { InProcessBus, ManualClock, MemoryEventLog, MemoryKeyring, MemoryLogStorage, MemorySnapshotStore, type MemoryBlocks } from '@sluice/memory';
import { counterpb } from '@sluice/protocol/counter';
import { ANYBODY, functionOf, type CallContext } from '@sluice/service';
import { startCommand, type CommandRuntime } from '../command';
import { commandCapability } from '.';

const storage = new MemoryLogStorage({ partitions: 2, incarnation: '00112233445566778899aabbccddeeff' });
const blocks: MemoryBlocks = new Map();
const clock = new ManualClock();
let command: CommandRuntime;

async function start(): Promise<void> {
  command = await startCommand({
    log: new MemoryEventLog(storage),
    snapshots: new MemorySnapshotStore(blocks),
    bus: new InProcessBus({ clock }),
    keyring: new MemoryKeyring(),
    clock,
    instanceId: 'one',
    capabilities: [commandCapability],
  });
}

beforeAll(start);
afterAll(() => command.stop());

async function add(requestId: string, amount: bigint): Promise<Pick<counterpb.AddResponse, 'value' | 'repeated'> | string> {
  const [registration] = command.registrations;
  const run = functionOf(registration?.implementation['add'] as object);
  if (run?.form !== 'unary') throw new Error('Add is not unary');
  const request = Buffer.from(counterpb.AddRequest.encode({ requestId, counterId: 'visits', amount }).finish());
  try {
    const { value, repeated } = counterpb.AddResponse.decode((await run.run(request as never, { caller: ANYBODY, forwarded: false } as CallContext)) as Buffer);
    return { value, repeated };
  } catch (error) {
    return (error as { reason: string }).reason;
  }
}

test('each request has one answer, also after a restart', async () => {
  expect(await add('r1', 5n)).toEqual({ value: 5n, repeated: false });
  expect(await add('r2', -6n)).toBe('COUNTER_BELOW_ZERO');
  expect(await add('r3', 0n)).toBe('INVALID_REQUEST');
  expect(await add('r3', 1_000_001n)).toBe('COUNTER_ADDITION_TOO_LARGE');
  expect(await add('r4', 2n)).toEqual({ value: 7n, repeated: false });
  await command.stop();
  await start();
  expect(await add('r1', 5n)).toEqual({ value: 5n, repeated: true });
  expect(await add('r1', 6n)).toBe('REQUEST_ID_REUSED');
  expect(await add('r2', -6n)).toBe('COUNTER_BELOW_ZERO');
  expect(await add('r5', 1n)).toEqual({ value: 8n, repeated: false });
});

/**
 * The thread that keeps a process's leases, with a connection to NATS of its own. It renews them whatever the main thread is busy with. A
 * main thread that gives no sign of life for too long is dead: its leases are given up, and taken up again if it comes back.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { NatsLeaseTable, NatsLink } from '@sluice/bus-nats';
import { SessionLease } from '@sluice/leases';
import type { HeldLease } from '@sluice/ports';
import { type FromLeaseThread, type LeaseRequest, type LeaseThreadData, PULSE_INTERVAL_MS, type ToLeaseThread } from './thread-messages';

/** An owner that connects again more slowly than others watch would lose what it has. */
const LONGEST_PAUSE_MS = 500;
const TABLE_PAUSE_MS = 250;

if (parentPort === null) throw new Error('this is the entry of a worker thread');
const port = parentPort;
const send = (message: FromLeaseThread): void => port.postMessage(message);

async function run({ link: options, deployment, holder, ttlMs, kept, pulse, missedPulsesLimit }: LeaseThreadData): Promise<void> {
  const onStatus = (message: string): void => send({ kind: 'status', message });
  const link = await NatsLink.open({ ...options, onStatus, longestPauseMs: LONGEST_PAUSE_MS, wait: {} });
  const table = await openTable(link, deployment);
  const lease = await SessionLease.open({ table, holder, ttlMs }, kept);
  lease.watch((event) => send({ kind: 'event', event }));
  const endPulseWatch = watchPulse(pulse, missedPulsesLimit, lease);
  const close = async (): Promise<void> => {
    endPulseWatch();
    await lease.close();
    await link.close();
    // The answer goes out first; then nothing keeps the thread.
    setImmediate(() => port.close());
  };
  port.on('message', ({ id, request }: ToLeaseThread) => {
    carryOut(request, lease, close).then(
      (held) => send({ kind: 'answer', id, held }),
      (error: unknown) => send({ kind: 'refusal', id, message: (error as Error).message }),
    );
  });
  send({ kind: 'ready' });
}

/** The main thread has seen the table already: what fails now is the connection. */
async function openTable(link: NatsLink, deployment: string): Promise<NatsLeaseTable> {
  for (;;) {
    try {
      return await NatsLeaseTable.open({ link, deployment });
    } catch (error) {
      send({ kind: 'status', message: `the leases at ${link.describe}: ${(error as Error).message}` });
      await new Promise((resolve) => setTimeout(resolve, TABLE_PAUSE_MS));
    }
  }
}

async function carryOut(request: LeaseRequest, lease: SessionLease, close: () => Promise<void>): Promise<HeldLease | undefined> {
  switch (request.ask) {
    case 'acquire':
      return lease.acquire(request.name);
    case 'read':
      return lease.read(request.name);
    case 'release':
      await lease.release(request.held, request.successor);
      return undefined;
    case 'close':
      await close();
      return undefined;
    default:
      return request satisfies never;
  }
}

/** Counts looks, not time: when the whole process was stopped, the main thread has had no chance to give a sign of life. */
function watchPulse(pulse: Int32Array, missedPulsesLimit: number, lease: SessionLease): () => void {
  let last = Atomics.load(pulse, 0);
  let missed = 0;
  const timer = setInterval(() => {
    const now = Atomics.load(pulse, 0);
    if (now === last) {
      missed += 1;
      if (missed !== missedPulsesLimit) return;
      send({ kind: 'status', message: 'the main thread gives no sign of life: its leases are given up' });
      void lease.suspend();
      return;
    }
    if (missed >= missedPulsesLimit) lease.resume();
    last = now;
    missed = 0;
  }, PULSE_INTERVAL_MS);
  return () => clearInterval(timer);
}

void run(workerData as LeaseThreadData);

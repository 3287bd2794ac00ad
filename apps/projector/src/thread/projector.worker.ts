/**
 * The projector's thread (embedded mode): its own connections to the files, commits by the bus's port, requests by the link.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { MessagePortBusReader } from '@sluice/memory';
import { READ_COLLECTIONS } from '@sluice/projections';
import { SqliteEventLog, SqliteReadStore } from '@sluice/store-sqlite';
import { Projector } from '../projector';
import { observerOver, ProjectorLinkServer } from './projector-link-server';
import { type FromProjector, linkError, type ProjectorThreadData } from './thread-messages';

if (parentPort === null) throw new Error('this is the entry of a worker thread');
const port = parentPort;

async function run({ logFile, readFile, busPort, cachedAggregates }: ProjectorThreadData): Promise<void> {
  const log = await SqliteEventLog.open({ file: logFile, readOnly: true });
  const store = await SqliteReadStore.open({ file: readFile, collections: READ_COLLECTIONS, identity: log.identity });
  const bus = new MessagePortBusReader(busPort);
  const projector = await Projector.start({ log, store, bus, observer: observerOver(port), cachedAggregates, writing: 'in turn' });
  new ProjectorLinkServer(port, projector, async () => {
    try {
      await projector.stop();
      await bus.close();
      await store.close();
      await log.close();
    } finally {
      // The answer to "stop" goes out first; then nothing keeps the thread, also where something could not be closed.
      setImmediate(() => {
        port.close();
        busPort.close();
      });
    }
  });
}

const send = (message: FromProjector): void => port.postMessage(message);
run(workerData as ProjectorThreadData).then(
  () => send({ kind: 'started' }),
  (error: unknown) => {
    send({ kind: 'failed', error: linkError(error) });
    port.close();
  },
);

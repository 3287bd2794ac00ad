/** Starts the projector in a thread of its own (embedded mode): projecting never takes time from answering. */
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { type MessagePort, Worker } from 'node:worker_threads';
import type { Clock, EventLog } from '@sluice/ports';
import { type ProjectorObserver, SILENT_PROJECTOR_OBSERVER } from '../projector-observer';
import { type ProjectorRuntime, serveProjector } from '../start-projector';
import { errorOf, ProjectorLink } from './projector-link';
import type { FromProjector, ProjectorThreadData } from './thread-messages';

export interface ProjectorThreadOptions {
  /** The event log's SQLite file; the thread opens it for reading. */
  readonly logFile: string;
  /** The read store's SQLite file; made where there is none. */
  readonly readFile: string;
  /** Reading end of the bus; is transferred. */
  readonly busPort: MessagePort;
  /** The log as this thread has it, for LogService. */
  readonly log: EventLog;
  readonly clock?: Clock;
  readonly observer?: ProjectorObserver;
  /** Aggregates kept in memory. */
  readonly cachedAggregates?: number;
  /** The thread ended although nobody stopped it. */
  readonly crashed?: (error: Error) => void;
}

/** A flush keeps all of its rows until they are written; room for them spares the collector from copying them about. */
const YOUNG_GENERATION_MB = 64;

/** Resolves when the thread projects. */
export async function startProjectorThread(options: ProjectorThreadOptions): Promise<ProjectorRuntime> {
  const { logFile, readFile, busPort, cachedAggregates, observer = SILENT_PROJECTOR_OBSERVER } = options;
  const workerData: ProjectorThreadData = { logFile, readFile, busPort, cachedAggregates };
  const worker = new Worker(workerEntry(__dirname, 'projector.worker'), {
    workerData,
    transferList: [busPort],
    name: 'projector',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const link = new ProjectorLink(worker, observer);
  let failure: Error | undefined;
  let stopping = false;
  worker.on('error', (error) => {
    failure = error;
  });
  const exited = new Promise<void>((resolve) => {
    worker.once('exit', (code) => {
      const error = failure ?? new Error(`the projector's thread ended (exit code ${code})`);
      link.end(error);
      if (!stopping) options.crashed?.(error);
      resolve();
    });
  });
  await new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromProjector) => {
      if (message.kind === 'started') resolve();
      if (message.kind !== 'failed') return;
      stopping = true;
      reject(errorOf(message.error));
    });
    void exited.then(() => reject(failure ?? new Error("the projector's thread ended before it projected")));
  });
  const runtime = serveProjector(link, options.log, options.clock);
  return {
    ...runtime,
    stop: async () => {
      stopping = true;
      await runtime.stop();
      await exited;
    },
  };
}

/** Worker threads always run the built code: Node loads them itself, also when everything else runs from source. */
function workerEntry(directory: string, name: string): string {
  const segments = directory.split(sep);
  const source = segments.lastIndexOf('src');
  if (source > segments.lastIndexOf('dist')) segments[source] = 'dist';
  const entry = join(segments.join(sep), `${name}.js`);
  if (!existsSync(entry)) throw new Error(`the worker ${entry} is not built: run the build first`);
  return entry;
}

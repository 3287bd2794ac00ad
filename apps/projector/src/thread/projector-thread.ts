/** One run of the projector's thread, from its start to its end. */
import { Worker } from 'node:worker_threads';
import { workerEntry } from '@sluice/ports';
import { ProjectorDownError } from '../projector-control';
import type { ProjectorObserver } from '../projector-observer';
import { errorOf, ProjectorLink } from './projector-link';
import type { FromProjector, ProjectorThreadData } from './thread-messages';

export interface ProjectorThread {
  readonly link: ProjectorLink;
  /** Lets it finish what it has, and ends it. */
  stop(): Promise<void>;
}

/** A flush keeps all of its rows until they are written; room for them spares the collector from copying them about. */
const YOUNG_GENERATION_MB = 64;

/**
 * Resolves when the thread projects.
 * @param died the thread had projected, and ended although nobody stopped it.
 */
export async function runProjectorThread(data: ProjectorThreadData, observer: ProjectorObserver, died: (error: Error) => void): Promise<ProjectorThread> {
  const worker = new Worker(workerEntry(__dirname, 'projector.worker'), {
    workerData: data,
    transferList: [data.busPort],
    name: 'projector',
    resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
  });
  const link = new ProjectorLink(worker, observer);
  let failure: Error | undefined;
  let projecting = false;
  let stopping = false;
  worker.on('error', (error) => {
    failure = error;
  });
  const exited = new Promise<Error>((resolve) => {
    worker.once('exit', (code) => {
      const error = failure ?? new Error(`the projector's thread ended (exit code ${code})`);
      link.end(new ProjectorDownError(error));
      if (projecting && !stopping) died(error);
      resolve(error);
    });
  });
  const started = new Promise<void>((resolve, reject) => {
    worker.on('message', (message: FromProjector) => {
      if (message.kind === 'failed') reject(errorOf(message.error));
      if (message.kind !== 'started') return;
      projecting = true;
      resolve();
    });
    void exited.then(reject);
  });
  await started.catch(async (error: unknown) => {
    // Whatever it had opened before it failed must not keep it.
    await worker.terminate();
    throw error;
  });
  return {
    link,
    stop: async () => {
      stopping = true;
      try {
        await link.stop();
      } catch (error) {
        if (!(error instanceof ProjectorDownError)) throw error;
      } finally {
        await exited;
      }
    },
  };
}

/**
 * The serving end of a storage thread: collects all requests that wait, has them carried out as one group, and answers
 * them together.
 */
import { parentPort, receiveMessageOnPort, type MessagePort } from 'node:worker_threads';
import { isDiskFull } from './sqlite-connection';
import { StorageFailure, type Answer, type Failure, type NumberedRequest, type Start } from './storage-thread-messages';

/** Requests in one group; the callers' own bounds keep the number far below. */
const GROUP_LIMIT = 4096;

export interface StorageService<Request> {
  /** Carries out the group; one outcome for each request, in their order. */
  carryOut(group: readonly Request[]): Outcome[];
  /** Called after the answers have left: upkeep that nobody should wait for. */
  afterGroup(): void;
  close(): void;
}

export type Outcome = { readonly value: unknown; readonly failure?: undefined } | { readonly failure: Failure };

/** Opens the service and serves it until the caller closes the thread. */
export function serveStorage<Request, Ready>(open: () => { service: StorageService<Request>; ready: Ready }): void {
  const port = parentPort as MessagePort;
  const opened = tryOpen(open);
  if ('failure' in opened) {
    port.postMessage({ failure: opened.failure } satisfies Start<Ready>);
    return;
  }
  const { service, ready } = opened;
  port.on('message', (first: NumberedRequest<Request> | 'close') => {
    const requests: NumberedRequest<Request>[] = [];
    let message: NumberedRequest<Request> | 'close' | undefined = first;
    while (message !== undefined && message !== 'close') {
      requests.push(message);
      message = requests.length < GROUP_LIMIT ? (receiveMessageOnPort(port)?.message as typeof message) : undefined;
    }
    if (requests.length > 0) {
      const outcomes = service.carryOut(requests.map((request) => request.request));
      port.postMessage(requests.map((request, at): Answer => ({ id: request.id, ...(outcomes[at] as Outcome) })));
      service.afterGroup();
    }
    if (message === 'close') {
      service.close();
      port.close();
    }
  });
  port.postMessage({ ready } satisfies Start<Ready>);
}

export function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  return { kind: isDiskFull(error) ? 'diskFull' : 'failed', message };
}

function tryOpen<Service>(open: () => Service): Service | { failure: Failure } {
  try {
    return open();
  } catch (error) {
    return { failure: error instanceof StorageFailure ? error.failure : failureOf(error) };
  }
}

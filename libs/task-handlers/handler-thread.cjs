/**
 * The program of a thread that runs the handlers of a module: piscina loads it in each thread. It is JavaScript, and a file of its own, because a
 * thread begins with a file, and the packed client library carries it as it is.
 */
'use strict';
const { parentPort, workerData } = require('node:worker_threads');

let loading;

/** Never resolves when the module cannot be loaded: the thread is ended then, so that the next task loads it again. */
function handlersFor(run) {
  loading ??= import(workerData.url).then(handlersOf);
  return loading.catch((error) => {
    const [place] = String(error?.stack).split('\n');
    parentPort.postMessage({ kind: 'broken', run, message: String(error) + (place.startsWith('file:') ? ` (${place})` : '') });
    return new Promise(() => undefined);
  });
}

function handlersOf(module) {
  const candidates = [module.default?.handlers, module.handlers, module.default, module];
  const from = candidates.find((candidate) => candidate && Object.values(candidate).some((value) => typeof value === 'function'));
  return Object.fromEntries(Object.entries(from ?? {}).filter(([, value]) => typeof value === 'function'));
}

/** Bytes, text as text/plain, anything else as JSON. */
function bodyOf(body) {
  if (body === undefined) return undefined;
  if (body instanceof Uint8Array) return { bytes: body, contentType: 'application/octet-stream' };
  if (typeof body === 'string') return { bytes: Buffer.from(body, 'utf8'), contentType: 'text/plain' };
  return { bytes: Buffer.from(JSON.stringify(body), 'utf8'), contentType: 'application/json' };
}

exports.types = async (run) => Object.keys(await handlersFor(run));

exports.run = async ({ run, task }) => {
  const handlers = await handlersFor(run);
  const payload = Buffer.from(task.payload);
  const context = {
    signal: new AbortController().signal,
    progress: (done, total = 0, text = '') => parentPort.postMessage({ kind: 'progress', run, done, total, text }),
  };
  try {
    const body = await handlers[task.type]({ ...task, payload, json: () => JSON.parse(payload.toString('utf8')) }, context);
    return { result: bodyOf(body), failure: undefined };
  } catch (error) {
    // An error that travels loses its own fields.
    const permanent = typeof error === 'object' && error !== null && error.permanent === true;
    return { result: undefined, failure: { message: error instanceof Error ? error.message : String(error), permanent } };
  }
};

/**
 * The word to stop: SIGTERM, SIGINT, or the end of the process that started this one over an IPC channel. The first one asks,
 * a second signal insists.
 */
/** As a shell reports a program that SIGINT has ended. */
const INSISTED_EXIT_CODE = 130;

/** Aborts, with the reason in words, when the process is asked to stop. */
export function stopRequest(): AbortSignal {
  const request = new AbortController();
  const ask = (reason: string): void => request.abort(reason);
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (request.signal.aborted) process.exit(INSISTED_EXIT_CODE);
      ask(signal);
    });
  }
  if (process.connected) process.once('disconnect', () => ask('the process that started this one is gone'));
  return request.signal;
}

/**
 * The word to stop: SIGTERM, SIGINT, or the end of the process that started this one over an IPC channel. The first one asks,
 * a second signal insists.
 */
/** As a shell reports a program that SIGINT has ended. */
const INSISTED_EXIT_CODE = 130;
/** Ctrl-C may come twice in the same moment, from the terminal and from npm; only a later signal insists. */
const INSISTING_AFTER_MS = 1_000;

/** Aborts, with the reason in words, when the process is asked to stop. */
export function stopRequest(): AbortSignal {
  const request = new AbortController();
  let askedAtMs = 0;
  const ask = (reason: string): void => {
    askedAtMs = Date.now();
    request.abort(reason);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      if (!request.signal.aborted) ask(signal);
      else if (Date.now() - askedAtMs > INSISTING_AFTER_MS) process.exit(INSISTED_EXIT_CODE);
    });
  }
  if (process.connected) process.once('disconnect', () => ask('the process that started this one is gone'));
  return request.signal;
}

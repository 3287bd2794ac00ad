/** Turns work that reports its progress into a stream: who reads slowly misses reports, never the last one. */
import type { Report } from './projector-control';
import { Wakeup } from './wakeup';

export async function* progressOf<Progress>(work: (report: Report<Progress>) => Promise<void>): AsyncGenerator<Progress> {
  const news = new Wakeup();
  let newest: Progress | undefined;
  let outcome: { readonly error?: unknown } | undefined;
  work((progress) => {
    newest = progress;
    news.wake();
  })
    .then(
      () => {
        outcome = {};
      },
      (error: unknown) => {
        outcome = { error };
      },
    )
    .finally(() => news.wake());
  for (;;) {
    if (newest !== undefined) {
      const progress = newest;
      newest = undefined;
      yield progress;
    } else if (outcome !== undefined) {
      if ('error' in outcome) throw outcome.error;
      return;
    } else await news.wait();
  }
}

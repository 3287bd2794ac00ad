/** Against a test that hangs, also on a machine where everything takes several times as long. */
const LIMIT_MS = 60_000;
const POLL_MS = 25;

/** Asks again until the condition holds; rejects after the limit, with the error of the last attempt where it threw. */
export async function until(what: string, condition: () => Promise<boolean> | boolean, limitMs = LIMIT_MS): Promise<void> {
  const untilMs = Date.now() + limitMs;
  for (;;) {
    let failure: unknown;
    try {
      if (await condition()) return;
    } catch (error) {
      failure = error;
    }
    if (Date.now() > untilMs) throw new Error(`after ${limitMs / 1000} s it still does not hold that ${what}`, { cause: failure });
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

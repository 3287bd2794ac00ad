/** What follows a command by itself is looked at until it is there. */
const LOOK_MS = 100;
const LIMIT_MS = 60_000;

/** Looks until it is so, or the time is over. @returns what was seen last. */
export async function lookUntil<Seen>(look: () => Promise<Seen>, is: (seen: Seen) => boolean): Promise<Seen> {
  for (const untilMs = Date.now() + LIMIT_MS; ; ) {
    const seen = await look();
    if (is(seen) || Date.now() > untilMs) return seen;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

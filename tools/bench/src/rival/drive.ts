import type { RivalAnswer, RivalOrder } from './rival-order';

/** Every caller posts again as soon as it is answered; what ends within the window counts. A caller resolves with how many it posted. */
export async function drive(callers: readonly (() => Promise<number>)[], { warmUpMs, windowMs }: RivalOrder): Promise<RivalAnswer> {
  const windowStart = performance.now() + warmUpMs;
  const windowEnd = windowStart + windowMs;
  let accepted = 0;
  const repeat = async (post: () => Promise<number>): Promise<void> => {
    while (performance.now() < windowEnd) {
      const posted = await post();
      const now = performance.now();
      if (now >= windowStart && now < windowEnd) accepted += posted;
    }
  };
  await Promise.all(callers.map(repeat));
  return { accepted, windowMs };
}

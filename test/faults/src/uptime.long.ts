import { testFault } from './harness/under-load';

/** Beyond what the lease service of a careless client survives: 1,000 consumers of a stream, each of which lives for minutes. */
const UPTIME_MS = 200_000;

testFault(
  `an owner dies after ${UPTIME_MS / 1_000} s of uptime: the others take over as on the first day`,
  { timeLimitMs: UPTIME_MS + 120_000, load: { betweenBatchesMs: 500 } },
  async ({ load, gaps, ownerOf }) => {
    await new Promise((resolve) => setTimeout(resolve, UPTIME_MS));
    gaps.restart();
    const victim = await ownerOf(0);
    await victim.kill();
    await load.moreEverywhere(60);
    await victim.start();
    await victim.untilServing();
  },
);

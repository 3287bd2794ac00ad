import { testFault } from './harness/under-load';

/** As promised: the gap in service after an owner's death, with 100,000 accounts. */
const GAP_LIMIT_MS = 5_000;
/** Fewer by default, for the sake of the tests' time; the figure with all of them is in docs/scale.md. */
const ACCOUNTS = Number(process.env['SLUICE_TEST_TAKEOVER_ACCOUNTS'] ?? '10000');

testFault(
  `kill -9 of the owner of partitions with ${ACCOUNTS} accounts: service is back in less than five seconds`,
  // Nothing is projected: the stand-in for MongoDB looks through all rows for each guarded write, which is not what is measured here.
  { counts: { projector: 0, query: 0 }, judged: false },
  async ({ load, command, holderOf }) => {
    await load.openIdle(ACCOUNTS);
    const owner = await holderOf('command/0');
    load.measureGaps();
    await command.find(({ name }) => name === owner)?.kill();
    await load.moreEverywhere(100);
    process.stderr.write(`the longest gap after an owner's death was ${load.longestGapMs} ms, with ${ACCOUNTS} accounts\n`);
    expect(load.longestGapMs).toBeLessThan(GAP_LIMIT_MS);
    expect(load.unexpected).toEqual([]);
  },
);

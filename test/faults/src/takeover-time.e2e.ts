import { testFault } from './harness/under-load';

/** Fewer by default, for the sake of the tests' time; the figure with all of them is in docs/scale.md. */
const ACCOUNTS = Number(process.env['SLUICE_TEST_TAKEOVER_ACCOUNTS'] ?? '10000');

testFault(
  `kill -9 of the owner of partitions with ${ACCOUNTS} accounts: service is back in less than five seconds`,
  // Nothing is projected: the stand-in for MongoDB is one process, and the log would wait for the projector's writes, which is not what is measured here.
  { counts: { projector: 0, query: 0 }, judged: false },
  async ({ load, gaps, ownerOf }) => {
    await load.openIdle(ACCOUNTS);
    const owner = await ownerOf(0);
    gaps.restart();
    await owner.kill();
    await load.moreEverywhere(100);
    expect(load.unexpected).toEqual([]);
  },
);

/**
 * Every posting signed: what it gains to split the checking of signatures over the worker pool.
 */
import { randomBytes } from 'node:crypto';
import type { Bench, EmbeddedTarget } from '../bench';
import type { Calls } from '../load/load-order';
import { proveAccount, sumOfProofs } from '../measure/proof';
import { medianPerSecond, type Rounds } from '../measure/rounds';
import type { FigureName } from '../report/report';
import { ackFigures, lagFigures, ratio, sidesTable } from './figures';
import type { Scenario } from './scenario';

const ACCOUNT = 'signed-account';
const BATCHES_IN_FLIGHT = 8;
const SIGNING_KEY_BYTES = 32;
/** Postings signed ahead for each second: more than a server takes here; where one takes them all the window ends early. */
const SIGNED_AHEAD_PER_SECOND = 150_000;

export const signed: Scenario = {
  run: async (bench) => {
    const signingKey = randomBytes(SIGNING_KEY_BYTES);
    const inFlight = bench.options.inFlight ?? BATCHES_IN_FLIGHT;
    const { batchSize } = bench.options;
    const prepared = Math.ceil(((bench.warmUpMs + bench.windowMs) / 1_000) * (SIGNED_AHEAD_PER_SECOND / batchSize)) + inFlight;
    const calls: Calls = { kind: 'signedBatches', batchSize, accountId: ACCOUNT, signingKey, prepared };

    const always = await startSigned(bench, 'always', signingKey);
    const off = await startSigned(bench, 'off', signingKey);
    const rounds = await bench.measure({
      always: bench.targetSide('pool always', always, calls, inFlight),
      off: bench.targetSide('pool off', off, calls, inFlight),
    });
    const measured = rounds.always as Rounds;
    const skipped: Partial<Record<FigureName, string>> = {};
    const peakRssBytes = always.server.peakRssBytes();
    if (peakRssBytes === undefined) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    return {
      figures: {
        acceptedPerSecond: medianPerSecond(measured),
        ...ackFigures(measured),
        ...lagFigures(measured),
        ratioPoolOnOff: ratio(measured, rounds.off),
        readyMs: always.server.readyMs,
        peakRssBytes,
        ...sumOfProofs([await proveAccount(bench, always, ACCOUNT), await proveAccount(bench, off, ACCOUNT)]),
      },
      skipped,
      tables: [
        sidesTable([
          { name: 'pool always', rounds: measured },
          { name: 'pool off', rounds: rounds.off },
        ]),
      ],
    };
  },
};

async function startSigned(bench: Bench, pool: 'always' | 'off', signingKey: Uint8Array): Promise<EmbeddedTarget> {
  const target = await bench.startEmbedded(`the server with its pool ${pool}`, { SLUICE_POOL: pool });
  await target.control.openAccounts([{ accountId: ACCOUNT, signingKey }]);
  return target;
}

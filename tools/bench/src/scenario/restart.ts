/**
 * A large server dies without warning: how long until it serves again and acknowledges, and how much memory it takes.
 */
import { numberedAccountId } from '../load/load-order';
import { median } from '../measure/median';
import { proveAll } from '../measure/proof';
import type { FigureName } from '../report/report';
import { numberedAccounts } from './many-accounts';
import type { Scenario } from './scenario';

const ACCOUNTS = 1_000_000;
const ENTRIES = 5_000_000;
const BATCHES_IN_FLIGHT = 8;
const PROGRESS_EVERY_MS = 500;

export const restart: Scenario = {
  run: async (bench) => {
    const { options, progress } = bench;
    const accounts = options.accounts ?? ACCOUNTS;
    const entries = options.entries ?? ENTRIES;
    const batches = Math.ceil(entries / options.batchSize);

    let target = await bench.startEmbedded('the server');
    await target.control.openAccounts(numberedAccounts(accounts), (opened) => progress.amount('opening accounts', opened, accounts));
    progress.step(`writing ${batches * options.batchSize} entries`);
    const watching = setInterval(() => {
      target.control.status().then(
        ({ projectedPostings }) => progress.amount('writing entries', Number(projectedPostings), entries),
        () => {},
      );
    }, PROGRESS_EVERY_MS);
    const started = performance.now();
    await bench.load(target, {
      calls: { kind: 'batches', batchSize: options.batchSize, account: { kind: 'random', count: accounts } },
      inFlight: options.inFlight ?? BATCHES_IN_FLIGHT,
      warmUpMs: 0,
      windowMs: Number.MAX_SAFE_INTEGER,
      maximumCalls: batches,
    });
    clearInterval(watching);
    const writtenPerSecond = (batches * options.batchSize * 1_000) / (performance.now() - started);

    const readyMs: number[] = [];
    const servingMs: number[] = [];
    const peaks = [target.server.peakRssBytes()];
    for (let time = 1; time <= options.rounds; time += 1) {
      progress.step(`kill -9 and restart ${time} of ${options.rounds}`);
      await target.server.kill();
      const { acknowledged, dataFolder } = target;
      target = await bench.startEmbedded('the server again', {}, dataFolder);
      target.acknowledged = acknowledged;
      await bench.postOnce(target, numberedAccountId(time % accounts), `after-restart-${time}`);
      readyMs.push(target.server.ageMs);
      servingMs.push(target.server.readyMs);
      peaks.push(target.server.peakRssBytes());
    }

    const proof = await proveAll(bench, target);
    peaks.push(target.server.peakRssBytes());
    // What is asked of a restart; what writing before and verifying after take is in the table.
    const known = peaks.slice(1, -1).filter((peak) => peak !== undefined);
    const skipped: Partial<Record<FigureName, string>> = {};
    if (known.length === 0) skipped.peakRssBytes = 'this system does not tell the peak memory of a process';
    return {
      figures: {
        acceptedPerSecond: writtenPerSecond,
        readyMs: median(readyMs),
        peakRssBytes: known.length === 0 ? undefined : Math.max(...known),
        ...proof,
      },
      skipped,
      tables: [
        {
          head: ['restart', 'SERVING after ms', 'posting acknowledged after ms', 'peak MiB'],
          rows: [
            ['before the kill', undefined, undefined, mebibytes(peaks[0])],
            ...readyMs.map((ms, index) => [`restart ${index + 1}`, servingMs[index], ms, mebibytes(peaks[index + 1])]),
            ['after verifying', undefined, undefined, mebibytes(peaks.at(-1))],
          ],
        },
      ],
    };
  },
};

function mebibytes(bytes: number | undefined): number | undefined {
  return bytes === undefined ? undefined : bytes / 1024 ** 2;
}

import { until } from '@sluice/judged-load';
import { withStreams } from '../harness/commit-stream';
import { type Fault } from '../harness/under-load';

const LEASES_STREAM = 'KV_sluice_main_leases';
/** Renewals of a process's session: as many as show what each of them leaves behind. */
const RENEWALS = 5;
/** A watch or two for each process that holds leases. */
const CONSUMERS_PER_PROCESS = 2;

export const leasesLeaveNothing: Fault = {
  name: 'leases leave nothing behind at NATS: the consumers of their stream are as many as the processes need',
  run: async ({ distributed, load }) => {
    await withStreams(distributed, async (manager) => {
      const state = async () => (await manager.streams.info(LEASES_STREAM)).state;
      // Every renewal is a message of the stream.
      const renewed = (await state()).last_seq + distributed.processes.length * RENEWALS;
      await until('the leases are renewed', async () => (await state()).last_seq >= renewed);
      expect((await state()).consumer_count).toBeLessThanOrEqual(distributed.processes.length * CONSUMERS_PER_PROCESS);
    });
    await load.more(100);
  },
};

import { type Fault } from '../harness/under-load';
import { withStreams } from '../harness/commit-stream';

const LEASES_STREAM = 'KV_sluice_main_leases';
/** As many rounds of renewals as show what each of them leaves behind. */
const UPTIME_MS = 10_000;
/** A watch or two for each process that holds leases. */
const CONSUMERS_PER_PROCESS = 2;

export const leasesLeaveNothing: Fault = {
  name: 'leases leave nothing behind at NATS: the consumers of their stream are as many as the processes need',
  run: async ({ distributed, load }) => {
    await new Promise((resolve) => setTimeout(resolve, UPTIME_MS));
    const { consumer_count: consumers } = await withStreams(distributed, async (manager) => (await manager.streams.info(LEASES_STREAM)).state);
    expect(consumers).toBeLessThanOrEqual(distributed.processes.length * CONSUMERS_PER_PROCESS);
    await load.more(100);
  },
};

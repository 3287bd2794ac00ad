/** The scheduler as a process of its own. */
import { runServiceProcess } from '@sluice/process';
import { schedulerpb } from '@sluice/protocol';
import { connectedPeer, ConfigurationError, PeerConnections, WELL_KNOWN_PORTS } from '@sluice/service';
import { leasedCommandInstances } from './owners/command-instances';
import { SCHEDULER_CALLER, startScheduler } from './scheduler';

/** Nothing is fired for so long when the scheduler that acts dies. */
const LEASE_TTL_MS = 6_000;

void runServiceProcess({
  service: 'scheduler',
  port: WELL_KNOWN_PORTS.scheduler,
  definitions: [schedulerpb.SchedulerServiceService],
  async open(opening) {
    const { clock, logger } = opening;
    const { proof, problem } = opening.peer;
    if (problem !== undefined) throw new ConfigurationError([problem]);
    if (proof === undefined)
      throw new ConfigurationError(['SLUICE_KEYRING_SECRET must be given: command instances let the scheduler in by the secret that they share']);
    const lease = await opening.leases(LEASE_TTL_MS);
    const connections = opening.keep(new PeerConnections({ ...opening.peer, proof }, clock), async (opened) => opened.close());
    const instances = leasedCommandInstances(lease, (address) => connectedPeer(connections, address, SCHEDULER_CALLER));
    const scheduler = opening.keep(await startScheduler({ lease, instances, clock, logger }), (runtime) => runtime.stop());
    return scheduler.registrations;
  },
});

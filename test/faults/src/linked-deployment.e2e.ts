/** Faults of the ways between processes, and others after which everything is as it was before, one after the other in one deployment. */
import { LinkedDeployment } from './harness/linked-deployment';
import { testFaults } from './harness/under-load';
import { ownerPaused } from './linked-deployment/owner-paused';
import { projectorKilledAtEachStep } from './linked-deployment/projector-killed';
import { rowsTampered } from './linked-deployment/rows-tampered';
import { silentHost } from './linked-deployment/silent-host';
import { stopInFlight } from './linked-deployment/stop-in-flight';
import { timersDueWhileKilled } from './linked-deployment/timers-due-while-killed';

const links = new LinkedDeployment();
beforeAll(() => links.open());

testFaults(links.options, [rowsTampered, timersDueWhileKilled, ...projectorKilledAtEachStep(links), silentHost, ownerPaused(links), stopInFlight(links)]);

// Hooks of this kind run in the order in which they stand: the deployment has stopped.
afterAll(() => links.close());

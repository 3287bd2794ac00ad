/**
 * Faults after which partitions are loaded anew, in a deployment of their own: how long that takes grows with the log, and the stand-in for MongoDB
 * reads slowly after a start. After other faults they would measure these.
 */
import { testFaults } from './harness/under-load';
import { commitChanged } from './short-log/commit-changed';
import { logRestored } from './short-log/log-restored';
import { mongodbRestarted } from './short-log/mongodb-restarted';

// A restored log has lost what was acknowledged, and a changed commit stays in the log: the order matters.
testFaults({ counts: { command: 2, projector: 2, query: 2, scheduler: 2 } }, [mongodbRestarted, logRestored, commitChanged]);

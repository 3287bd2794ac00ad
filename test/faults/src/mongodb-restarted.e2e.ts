/**
 * In a deployment of its own: how long a partition takes to be read again grows with its log, and the stand-in for MongoDB reads slowly after a
 * start. In the shared deployment this fault would measure the faults before it.
 */
import { testFaults } from './harness/under-load';
import { mongodbRestarted } from './one-deployment/mongodb-restarted';

testFaults({ counts: { command: 2, projector: 2, query: 2, scheduler: 2 } }, [mongodbRestarted]);

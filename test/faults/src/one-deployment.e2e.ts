/**
 * Faults after which everything is as it was before. They happen one after the other to the same processes: starting a deployment takes longer than
 * most of the faults. Those that need processes of their own kind have a file each.
 */
import { testFaults } from './harness/under-load';
import { lastMessageLost } from './one-deployment/last-message-lost';
import { leasesLeaveNothing } from './one-deployment/leases-leave-nothing';
import { messagesRepeated } from './one-deployment/messages-repeated';
import { natsGone } from './one-deployment/nats-gone';
import { natsKilled } from './one-deployment/nats-killed';
import { ownerKilled } from './one-deployment/owner-killed';
import { queryKilled } from './one-deployment/query-killed';
import { rebuildWithTwoProjectors } from './one-deployment/rebuild-with-two-projectors';
import { schedulerKilled } from './one-deployment/scheduler-killed';
import { streamDeleted } from './one-deployment/stream-deleted';
import { streamLoad } from './one-deployment/stream-load';

/** Longer than every lease. */
const NATS_GONE_MS = 8_000;

testFaults({ counts: { command: 2, projector: 2, query: 2, scheduler: 2 } }, [
  // While the log is short: each rebuild reads all of it.
  rebuildWithTwoProjectors,
  messagesRepeated,
  streamDeleted,
  lastMessageLost,
  ownerKilled,
  queryKilled,
  schedulerKilled,
  natsKilled,
  natsGone(NATS_GONE_MS),
  leasesLeaveNothing,
  streamLoad,
]);

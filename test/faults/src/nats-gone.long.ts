import { testFault } from './harness/under-load';
import { natsGone } from './one-deployment/nats-gone';

const GONE_MS = 60_000;

const { name, options, run } = natsGone(GONE_MS);
testFault(name, { ...options }, run);

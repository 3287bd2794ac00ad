import { natsGone } from './harness/nats-gone';

/** Longer than every lease. */
const GONE_MS = 8_000;

natsGone(GONE_MS);

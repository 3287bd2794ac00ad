import { natsGone } from './harness/nats-gone';

const GONE_MS = 60_000;

natsGone(GONE_MS);

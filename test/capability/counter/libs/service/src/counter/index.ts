/** Counters: their settings. */
import { setting } from '../config/setting';
import { wholeNumber } from '../config/values';
import type { ServiceCapability } from '../service-capability';

export const serviceCapability = {
  name: 'counter',
  settings: { counterLargestAddition: setting(wholeNumber(1), 1_000_000, 'How much one request may add to a counter, or take away.') },
} as const satisfies ServiceCapability;

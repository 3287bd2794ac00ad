import { DEFAULT_LIMITS, MAXIMUM_DELIVERY_BYTES } from '@sluice/engine';
import { PEER_MESSAGE_BYTES } from '@sluice/service';

test('a batch of deliveries, and an event that is closed by the largest payload, fit a message between instances', () => {
  expect(DEFAULT_LIMITS.deliveryBatchBytes + MAXIMUM_DELIVERY_BYTES).toBeLessThan(PEER_MESSAGE_BYTES);
});

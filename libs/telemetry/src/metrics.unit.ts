import { NO_METRICS } from './metrics';
import { formatTraceparent, parseTraceparent } from './tracing';

test('without metrics every instrument does nothing', () => {
  expect(NO_METRICS.enabled).toBe(false);
  expect(NO_METRICS.counter('sluice.turns')(1)).toBeUndefined();
});

test.each`
  traceparent                                                        | valid
  ${'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'}       | ${true}
  ${'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00'}       | ${true}
  ${'01-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-later'} | ${true}
  ${'00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more'}  | ${false}
  ${'ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01'}       | ${false}
  ${'00-00000000000000000000000000000000-b7ad6b7169203331-01'}       | ${false}
  ${'00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01'}       | ${false}
  ${'00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01'}       | ${false}
  ${'traceparent'}                                                   | ${false}
  ${''}                                                              | ${false}
`('"$traceparent" is a traceparent: $valid', ({ traceparent, valid }: { traceparent: string; valid: boolean }) => {
  expect(parseTraceparent(traceparent) !== undefined).toBe(valid);
});

test('a traceparent comes back', () => {
  const traceparent = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
  const parsed = parseTraceparent(traceparent);
  expect(parsed && formatTraceparent(parsed)).toBe(traceparent);
});

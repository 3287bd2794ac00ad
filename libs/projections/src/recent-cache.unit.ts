import { RecentCache } from './recent-cache';

test('keeps what is used, lets go of what is not, and stays within its limit', () => {
  const cache = new RecentCache<number>(100);
  for (let key = 0; key < 10_000; key += 1) {
    cache.set(String(key), key);
    expect(cache.get('0')).toBe(0);
    expect(cache.size).toBeLessThanOrEqual(100);
  }
  expect(cache.get('9999')).toBe(9_999);
  expect(cache.get('5')).toBeUndefined();
});

test('always has the half of its limit that was used last', () => {
  const cache = new RecentCache<number>(100);
  for (let key = 0; key < 1_000; key += 1) cache.set(String(key), key);
  for (let key = 951; key < 1_000; key += 1) expect(cache.get(String(key))).toBe(key);
});

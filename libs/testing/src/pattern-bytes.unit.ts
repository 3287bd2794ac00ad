import { hex, patternBytes } from './pattern-bytes';

test('the bytes are a function of the seed, and differ from seed to seed', () => {
  expect(patternBytes(1, 64)).toEqual(patternBytes(1, 64));
  expect(hex(patternBytes(1, 64))).not.toBe(hex(patternBytes(2, 64)));
  expect(patternBytes(3, 10)).toEqual(patternBytes(3, 100).subarray(0, 10));
});

test('hexadecimal digits show the view, not the memory under it', () => {
  expect(hex(new Uint8Array([1, 2, 254, 255]).subarray(1, 3))).toBe('02fe');
});

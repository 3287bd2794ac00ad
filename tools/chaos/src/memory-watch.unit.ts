import { MemoryRecord, MemoryWatch } from './memory-watch';

const MEBIBYTE = 1 << 20;

/** A process whose memory is as the function says, by seconds of its life. */
function recordOf(seconds: number, mebibytesAt: (second: number) => number): MemoryRecord {
  const record = new MemoryRecord();
  for (let second = 0; second <= seconds; second += 2) record.add('projector-1', 17, second * 1_000, mebibytesAt(second) * MEBIBYTE);
  return record;
}

test.each`
  what                                                  | seconds | mebibytesAt                                        | complaint
  ${'a heap that fills and is collected'}               | ${600}  | ${(second: number) => 150 + (second % 40) * 5}     | ${undefined}
  ${'a heap that settles within its first minute'}      | ${600}  | ${(second: number) => Math.min(400, 5 * second)}   | ${undefined}
  ${'a leak'}                                           | ${600}  | ${(second: number) => 150 + second / 3}            | ${/^projector-1 grew by 1[0-9]{2} MiB after its first minute, at most 100 MiB/}
  ${'a leak in a process that has not lived long'}      | ${120}  | ${(second: number) => 150 + second / 3}            | ${undefined}
  ${'more than any process needs, if only for a while'} | ${600}  | ${(second: number) => (second === 90 ? 700 : 150)} | ${/^projector-1 had 700 MiB of memory, at most 600 MiB/}
`('$what', ({ seconds, mebibytesAt, complaint }: { seconds: number; mebibytesAt: (second: number) => number; complaint: RegExp | undefined }) => {
  const { complaints } = recordOf(seconds, mebibytesAt);
  expect(complaints).toEqual(complaint === undefined ? [] : [expect.stringMatching(complaint)]);
});

test('a process that was started again is another one', () => {
  const record = recordOf(300, () => 100);
  for (let second = 300; second <= 600; second += 2) record.add('projector-1', 18, second * 1_000, 300 * MEBIBYTE);
  expect(record.complaints).toEqual([]);
  expect(record.largest).toEqual({ process: 'projector-1', bytes: 300 * MEBIBYTE });
});

(process.platform === 'linux' ? test : test.skip)('the memory of this process is measured, a process that does not run is passed over', async () => {
  const watch = new MemoryWatch([
    { name: 'this', pid: process.pid },
    { name: 'none', pid: undefined },
  ]);
  watch.start();
  await watch.stop();
  expect(watch.record.largest).toMatchObject({ process: 'this' });
});

import { join } from 'node:path';
import { testFault } from './harness/under-load';

const PRELOAD = join(__dirname, 'harness/skewed-clock.cjs');
const SKEWED = 'command-2';

/** Variables that set a process's time of day off. */
function skewed(offsetMs: number): Record<string, string> {
  return { NODE_OPTIONS: `--require ${PRELOAD}`, SLUICE_TEST_CLOCK_OFFSET_MS: String(offsetMs) };
}

test.each([[60_000], [-60_000]])('the preload sets the time of day off by %i ms and nothing else', async (offsetMs) => {
  const { execFileSync } = await import('node:child_process');
  const program =
    'const a = performance.now(); setTimeout(() => console.log(JSON.stringify([Date.now(), new Date().getTime(), performance.timeOrigin + a, performance.now() - a, new Date(5).getTime()])), 50)';
  const beforeMs = Date.now();
  const said = execFileSync(process.execPath, ['-e', program], { env: { ...process.env, ...skewed(offsetMs) } });
  const [now = 0, date = 0, origin = 0, elapsed = 0, fixed = 0] = JSON.parse(said.toString()) as number[];
  for (const shown of [now, date, origin]) {
    expect(shown - offsetMs).toBeGreaterThanOrEqual(beforeMs - 5);
    expect(shown - offsetMs).toBeLessThanOrEqual(Date.now() + 5);
  }
  expect(elapsed).toBeGreaterThan(0);
  expect(fixed).toBe(5);
});

describe.each([[60_000], [-60_000]])('an instance whose clock is off by %i ms', (offsetMs) => {
  testFault(
    'dies, comes back, and takes over from the other: no gap is longer for it',
    { environmentOf: (name) => (name === SKEWED ? skewed(offsetMs) : {}) },
    async ({ command, load }) => {
      const off = command.find(({ name }) => name === SKEWED);
      const right = command.find(({ name }) => name !== SKEWED);
      for (const instance of [off, right]) {
        await instance?.kill();
        await load.moreEverywhere(60);
        await instance?.start();
        await instance?.untilServing();
        await load.moreEverywhere(60);
      }
    },
  );
});

import { ManualClock } from '@sluice/memory';
import { AGREEING_LOOKS, answeredOrLost, APPEND_LIMIT_MS, LOOK_EVERY_MS, type Sighting } from './append-watch';

const NEVER = new Promise<never>(() => undefined);

/** What became of an append that is not answered, when the server said these things of it, one a look, the last one from then on. */
async function outcome(sightings: readonly (Sighting | 'silence' | 'failure')[], elapsedMs: number, bytes: number): Promise<string> {
  const clock = new ManualClock();
  let looks = 0;
  const look = (): Promise<Sighting> => {
    const seen = sightings[Math.min(looks++, sightings.length - 1)] ?? 'silence';
    if (seen === 'failure') return Promise.reject(new Error('not reachable'));
    return seen === 'silence' ? NEVER : Promise.resolve(seen);
  };
  let ended = 'waits';
  answeredOrLost(NEVER, look, clock, bytes).catch((error: Error) => {
    ended = error.message;
  });
  await clock.elapse(elapsedMs);
  return ended;
}

const ENOUGH_MS = AGREEING_LOOKS * LOOK_EVERY_MS;
const LOST = /request is lost.*outcome is unknown/;
const DONE = /answer is lost.*outcome is unknown/;

test.each`
  sightings                                    | elapsedMs                        | ends
  ${['absent']}                                | ${ENOUGH_MS}                     | ${LOST}
  ${['absent']}                                | ${ENOUGH_MS - 1}                 | ${/waits/}
  ${['durable']}                               | ${ENOUGH_MS}                     | ${DONE}
  ${['accepted']}                              | ${APPEND_LIMIT_MS - 1}           | ${/waits/}
  ${['absent', 'absent', 'accepted']}          | ${APPEND_LIMIT_MS - 1}           | ${/waits/}
  ${['absent', 'absent', 'failure', 'absent']} | ${ENOUGH_MS + LOOK_EVERY_MS}     | ${/waits/}
  ${['absent', 'absent', 'failure', 'absent']} | ${ENOUGH_MS + 3 * LOOK_EVERY_MS} | ${LOST}
  ${['accepted', 'durable']}                   | ${ENOUGH_MS + LOOK_EVERY_MS}     | ${DONE}
  ${['silence']}                               | ${APPEND_LIMIT_MS - 1}           | ${/waits/}
  ${['silence']}                               | ${APPEND_LIMIT_MS}               | ${/no answer within 15 s/}
`('an append without an answer, seen as $sightings, after $elapsedMs ms: $ends', async ({ sightings, elapsedMs, ends }) => {
  expect(await outcome(sightings, elapsedMs, 1_000)).toMatch(ends);
});

test.each`
  sightings      | mebibytes | looks                  | ends
  ${['absent']}  | ${16}     | ${AGREEING_LOOKS + 15} | ${/waits/}
  ${['absent']}  | ${16}     | ${AGREEING_LOOKS + 16} | ${LOST}
  ${['durable']} | ${16}     | ${AGREEING_LOOKS}      | ${DONE}
`('a commit of $mebibytes MiB, seen as $sightings for $looks looks: $ends', async ({ sightings, mebibytes, looks, ends }) => {
  expect(await outcome(sightings, looks * LOOK_EVERY_MS, mebibytes * 1024 * 1024)).toMatch(ends);
});

test('an answer is passed on at once, and nobody looks any more', async () => {
  const clock = new ManualClock();
  const look = jest.fn();
  await answeredOrLost(Promise.resolve(), look, clock, 1);
  await expect(answeredOrLost(Promise.reject(new Error('refused')), look, clock, 1)).rejects.toThrow('refused');
  expect(clock.pendingTimers).toBe(0);
  expect(look).not.toHaveBeenCalled();
});

test('an append that is answered while it is looked for leaves no timer behind', async () => {
  const clock = new ManualClock();
  let answer = (): void => undefined;
  const append = new Promise<void>((resolve) => {
    answer = resolve;
  });
  const ended = answeredOrLost(append, () => Promise.resolve('absent'), clock, 1);
  await clock.elapse(LOOK_EVERY_MS);
  answer();
  await ended;
  expect(clock.pendingTimers).toBe(0);
});

/** A switch whose rebuild has died must not keep the copy in force closed. */
import { ManualClock, MemoryReadStore } from '@sluice/memory';
import type { ReadCopy } from '@sluice/ports';
import { READ_COLLECTIONS } from '@sluice/projections';
import { SWITCH_SILENCE_MS, SwitchWatch } from './switch-watch';

const IDENTITY = { incarnation: '0123456789abcdef0123456789abcdef', partitions: 2 };

let clock: ManualClock;
let store: MemoryReadStore;
let fresh: ReadCopy;
let ended: string[];
let watch: SwitchWatch;

beforeEach(async () => {
  clock = new ManualClock();
  store = new MemoryReadStore({ collections: READ_COLLECTIONS, identity: IDENTITY, clock });
  await store.current();
  fresh = await store.beginCopy(IDENTITY);
  ended = [];
  watch = new SwitchWatch(store, clock, ({ copy }) => ended.push(copy));
});

test('without a switch nothing is waited for', async () => {
  expect(await watch.underWay()).toBe(false);
});

test('a switch that shows no sign of life is ended, not before the silence is over', async () => {
  const begun = await store.beginSwitch(fresh);
  expect(await watch.underWay()).toBe(true);
  await clock.elapse(SWITCH_SILENCE_MS - 1);
  expect(await watch.underWay()).toBe(true);
  await clock.elapse(1);
  expect(await watch.underWay()).toBe(false);
  expect(ended).toEqual([fresh.name]);
  await expect(store.activate(begun)).rejects.toThrow('ended');
});

test('a switch that goes on is waited for, however long it takes', async () => {
  let seen = await store.beginSwitch(fresh);
  for (let sign = 0; sign < 5; sign += 1) {
    expect(await watch.underWay()).toBe(true);
    await clock.elapse(SWITCH_SILENCE_MS - 1);
    seen = await store.continueSwitch(seen);
  }
  expect(await watch.underWay()).toBe(true);
  await store.activate(seen);
  expect(await watch.underWay()).toBe(false);
  expect(ended).toEqual([]);
});

test('the next switch has its own time', async () => {
  await store.endSwitch(await store.beginSwitch(fresh));
  await store.beginSwitch(fresh);
  expect(await watch.underWay()).toBe(true);
  await clock.elapse(SWITCH_SILENCE_MS - 1);
  await store.beginSwitch(await store.beginCopy(IDENTITY));
  await clock.elapse(SWITCH_SILENCE_MS - 1);
  expect(await watch.underWay()).toBe(true);
  expect(ended).toEqual([]);
});

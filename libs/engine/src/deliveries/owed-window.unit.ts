import { OwedDeliveriesWriter } from '@sluice/protocol';
import { OwedWindow, type OwedPart, type WindowBudget } from './owed-window';

const KIND = { target: 1, owedBy: 'journal', capability: 'journal', method: 'Write' };

function part(firstNumber: number, count: number, payloadBytes = 10): OwedPart {
  const writer = new OwedDeliveriesWriter(KIND, firstNumber);
  for (let at = 0; at < count; at += 1) writer.add('key', new Uint8Array(payloadBytes), 'owner');
  return { ...writer.finish(), sequence: firstNumber };
}

function budget(limitBytes: number): WindowBudget {
  return { bytes: 0, limitBytes };
}

test('consecutive parts are found by any of their numbers until they are dropped', () => {
  const window = new OwedWindow(budget(1_000_000));
  for (const first of [1, 4, 7]) expect(window.offer(part(first, 3))).toBe(true);
  expect([1, 3, 4, 9, 10].map((number) => window.partOf(number)?.firstNumber)).toEqual([1, 1, 4, 7, undefined]);
  window.dropThrough(4);
  expect([3, 4, 6, 9].map((number) => window.partOf(number)?.firstNumber)).toEqual([undefined, 4, 4, 7]);
});

test('a part that does not continue the window is not taken', () => {
  const window = new OwedWindow(budget(1_000_000));
  window.offer(part(1, 3));
  expect(window.offer(part(5, 3))).toBe(false);
  expect(window.offer(part(1, 3))).toBe(false);
  expect(window.through).toBe(3);
});

test('a window that begins in the middle of a part takes that part', () => {
  const window = new OwedWindow(budget(1_000_000));
  window.dropThrough(2);
  expect(window.offer(part(1, 4))).toBe(true);
  expect(window.partOf(3)?.firstNumber).toBe(1);
});

test('windows share their room, and each has a little whatever the others hold', () => {
  const shared = budget(6 << 20);
  const [greedy, modest] = [new OwedWindow(shared), new OwedWindow(shared)];
  const megabyte = 1 << 20;
  let next = 1;
  while (greedy.offer(part(next, 1, megabyte))) next += 1;
  expect(next - 1).toBe(5);
  expect(modest.offer(part(1, 1, megabyte))).toBe(true);
  expect(modest.offer(part(2, 1, megabyte))).toBe(false);
  greedy.dropThrough(5);
  expect(shared.bytes).toBeLessThan(2 << 20);
  expect(modest.offer(part(2, 1, megabyte))).toBe(true);
});

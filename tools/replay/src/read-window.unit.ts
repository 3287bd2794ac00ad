import { ReadWindow } from './read-window';

test('callers that enter at once all get in, no more than the window holds at a time', async () => {
  const window = new ReadWindow(2);
  let inside = 0;
  let most = 0;
  const work = async (): Promise<void> => {
    await window.enter();
    inside += 1;
    most = Math.max(most, inside);
    window.leaveWhen(Promise.resolve(), () => {
      inside -= 1;
    });
  };
  await Promise.all(Array.from({ length: 10 }, work));
  await window.allLeft();
  expect({ inside, most }).toEqual({ inside: 0, most: 2 });
});

test('work that fails ends the window for every caller that waits', async () => {
  const window = new ReadWindow(1);
  await window.enter();
  const waiting = [window.enter(), window.enter(), window.allLeft()];
  window.leaveWhen(Promise.reject(new Error('gone')), () => undefined);
  const ended = await Promise.allSettled(waiting);
  expect(ended.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
});

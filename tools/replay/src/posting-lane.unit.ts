import { PostingLane } from './posting-lane';

test('rows travel in their order, one batch after the other, none is left behind', async () => {
  const sent: number[][] = [];
  let underWay = 0;
  const lane = new PostingLane<number>(3, async (rows) => {
    underWay += 1;
    expect(underWay).toBe(1);
    await new Promise(setImmediate);
    sent.push([...rows]);
    underWay -= 1;
  });
  for (let row = 1; row <= 7; row += 1) await lane.add(row);
  await lane.end();
  expect(sent).toEqual([[1, 2, 3], [4, 5, 6], [7]]);
});

test('a batch that failed is heard of by whoever adds or ends next, and nothing goes out after it', async () => {
  const sent: number[][] = [];
  const lane = new PostingLane<number>(1, async (rows) => {
    sent.push([...rows]);
    throw new Error(`no server for ${rows.join()}`);
  });
  await lane.add(1);
  await expect(lane.add(2)).rejects.toThrow('no server for 1');
  await expect(lane.end()).rejects.toThrow('no server for 1');
  expect(sent).toEqual([[1]]);
});

import { type ProjectionStatus, SluiceError } from '@sluice/client';
import { Output } from '../output';
import { untilFilled } from './filled-rows';

const FILLING = new SluiceError({ code: 'UNAVAILABLE', reason: 'PROJECTION_FILLING', message: '' });

function outputInto(messages: string[]): Output {
  return new Output({ results: { write: () => true }, messages: { write: (text) => messages.push(text) } }, false);
}

const client = {
  projection: {
    status: async () =>
      ({
        partitions: [
          { headSequence: 10n, filling: [{ projection: 'task@2', sequence: 4n }] },
          { headSequence: 7n, filling: [] },
        ],
      }) as unknown as ProjectionStatus,
  },
} as unknown as Parameters<typeof untilFilled>[0];

test('a replay waits while the rows are being filled, and says how far they are', async () => {
  const messages: string[] = [];
  let refusals = 2;
  const read = async (): Promise<void> => {
    refusals -= 1;
    if (refusals >= 0) throw FILLING;
  };
  await untilFilled(client, read, outputInto(messages));
  expect(refusals).toBe(-1);
  expect(messages).toEqual(['the read store is being filled: 4 of 10 commits\n']);
});

test('another failure ends it', async () => {
  const failure = new SluiceError({ code: 'UNAUTHENTICATED', reason: '', message: '' });
  await expect(untilFilled(client, () => Promise.reject(failure), outputInto([]))).rejects.toBe(failure);
});

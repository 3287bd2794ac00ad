import { encodePositionToken } from '@sluice/protocol';
import { accountpb, OUTCOME_ACCEPTED, type PostingBatch } from '@sluice/protocol/account';
import type { CallContext, SluiceError } from '@sluice/service';
import type { Positions, PostingRouter } from './posting-router';
import { servePostingStream } from './posting-stream';

const INCARNATION = '00112233445566778899aabbccddeeff';
const tokenOf = (positions: Positions): string => (positions.size === 0 ? '' : encodePositionToken({ incarnation: INCARNATION, sequences: positions }));

function message(requestId: string, accountId = 'a'): Buffer {
  const posting = { requestId, accountId, type: 1, amountMinor: 1n, unit: 'EUR' };
  return Buffer.from(accountpb.PostStreamRequest.encode(accountpb.PostStreamRequest.fromPartial({ posting })).finish());
}

/** A router whose slices the test settles. Accounts are in the partition that they name. */
class Slices implements Pick<PostingRouter, 'route' | 'submit'> {
  readonly ids: string[][] = [];
  private readonly open: { batch: PostingBatch; done: (positions: Positions) => void }[] = [];

  route(batch: PostingBatch): { batch: PostingBatch; only: number } {
    for (let index = 0; index < batch.count; index += 1)
      batch.partitions[index] = batch.outcomes[index] === 0 ? Number(batch.accountId(index).charCodeAt(0) - 'a'.charCodeAt(0)) : -1;
    return { batch, only: -1 };
  }

  submit({ batch }: { batch: PostingBatch }, _call: CallContext, done: (positions: Positions) => void): void {
    this.ids.push(Array.from({ length: batch.count }, (_, index) => batch.requestId(index)));
    this.open.push({ batch, done });
  }

  settle(at = 0): void {
    const [{ batch, done }] = this.open.splice(at, 1) as [(typeof this.open)[number]];
    for (let index = 0; index < batch.count; index += 1) {
      if (batch.outcomes[index] === 0) batch.outcomes[index] = OUTCOME_ACCEPTED;
      batch.balancesAfter[index] = 0n;
      batch.heldAfter[index] = 0n;
      batch.entryNumbers[index] = index;
      batch.repeated[index] = 0;
    }
    done(
      new Map([
        [0, 3],
        [1, 4],
      ]),
    );
  }
}

/** A caller that sends when the test says so. */
class Sender implements AsyncIterable<Buffer> {
  taken = 0;
  private readonly messages: Buffer[] = [];
  private complete = false;
  private wake = (): void => undefined;

  send(...messages: readonly Buffer[]): void {
    this.messages.push(...messages);
    this.wake();
  }

  end(): void {
    this.complete = true;
    this.wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    for (;;) {
      const next = this.messages.shift();
      if (next !== undefined) {
        this.taken += 1;
        yield next;
      } else if (this.complete) return;
      else await new Promise<void>((resolve) => (this.wake = resolve));
    }
  }
}

const round = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

function serve(options: { send?: (bytes: Buffer) => Promise<void> | undefined } = {}) {
  const slices = new Slices();
  const sender = new Sender();
  const answers: accountpb.PostStreamResponse[] = [];
  const tallied: number[] = [];
  const send = (bytes: Buffer): Promise<void> | undefined => {
    answers.push(accountpb.PostStreamResponse.decode(bytes));
    return options.send?.(bytes);
  };
  const call = { end: () => sender.end() } as unknown as CallContext;
  const served = servePostingStream({ router: slices, tokenOf, tally: (batch) => tallied.push(batch.count) }, sender, send, call);
  return { slices, sender, answers, tallied, served };
}

test('what arrives in one round is one slice, of 256 at most; each posting is answered with its id and the position of its partition', async () => {
  const { slices, sender, answers, served } = serve();
  sender.send(message('r0'), message('r1', 'b'), message(''));
  await round();
  await round();
  expect(slices.ids).toEqual([['r0', 'r1', '']]);
  sender.send(...Array.from({ length: 600 }, (_, at) => message(`s${at}`)));
  sender.end();
  await round();
  await round();
  expect(slices.ids.map(({ length }) => length)).toEqual([3, 256, 256, 88]);
  slices.settle();
  await round();
  expect(answers.map(({ requestId, accountId, result, positionToken }) => [requestId, accountId, result?.error?.reason, positionToken])).toEqual([
    ['r0', 'a', undefined, tokenOf(new Map([[0, 3]]))],
    ['r1', 'b', undefined, tokenOf(new Map([[1, 4]]))],
    ['', 'a', 'INVALID_REQUEST', ''],
  ]);
  for (let slice = 0; slice < 3; slice += 1) slices.settle();
  await served;
  expect(answers.slice(3).map(({ requestId }) => requestId)).toEqual(Array.from({ length: 600 }, (_, at) => `s${at}`));
});

test('answers leave one by one, each when the one before may be followed, and slices in the order in which they were decided', async () => {
  const held: (() => void)[] = [];
  const { slices, sender, answers, served } = serve({ send: () => new Promise((resolve) => held.push(resolve)) });
  sender.send(message('r0'), message('r1'));
  await round();
  await round();
  sender.send(message('r2'));
  sender.end();
  await round();
  await round();
  slices.settle(1);
  slices.settle(0);
  await round();
  expect(answers.map(({ requestId }) => requestId)).toEqual(['r2']);
  held.shift()?.();
  await round();
  expect(answers.map(({ requestId }) => requestId)).toEqual(['r2', 'r0']);
  held.shift()?.();
  await round();
  held.shift()?.();
  await served;
  expect(answers.map(({ requestId }) => requestId)).toEqual(['r2', 'r0', 'r1']);
});

test('of postings that are not answered no more than 10,000 are read, whether they wait for their verdict or for a caller that does not read', async () => {
  let reads!: () => void;
  let reading: Promise<void> | undefined = new Promise((resolve) => (reads = resolve));
  const { slices, sender, answers, served } = serve({ send: () => reading });
  sender.send(...Array.from({ length: 15_000 }, (_, at) => message(`r${at}`)));
  sender.end();
  const untilDecided = async (count: number): Promise<void> => {
    while (slices.ids.flat().length < count) await round();
    await round();
  };
  await untilDecided(10_000);
  expect(sender.taken).toBe(10_000);
  // They get their verdicts, and wait for the caller.
  for (let slice = slices.ids.length; slice > 0; slice -= 1) slices.settle();
  await round();
  expect([sender.taken, answers.length]).toEqual([10_000, 1]);
  const before = slices.ids.length;
  reading = undefined;
  reads();
  await untilDecided(15_000);
  for (let slice = slices.ids.length - before; slice > 0; slice -= 1) slices.settle();
  await served;
  expect([sender.taken, answers.length]).toEqual([15_000, 15_000]);
});

test('a message that holds no posting ends the call when what came before is answered; nothing behind it is done', async () => {
  const { slices, sender, answers, served } = serve();
  const ended = served.catch((error: SluiceError) => [error.reason, error.message]);
  sender.send(message('r0'), message('r1'), Buffer.from([0x0a, 0x7f]), message('r3'));
  await round();
  await round();
  expect(slices.ids).toEqual([['r0', 'r1']]);
  slices.settle();
  expect(await ended).toEqual(['INVALID_REQUEST', expect.stringContaining('a posting reaches beyond its message')]);
  expect(answers.map(({ requestId }) => requestId)).toEqual(['r0', 'r1']);
});

test('when the call is ended because its caller reads nothing, that is what it ends with, and every slice is given back', async () => {
  const unread = new Error('nothing is read');
  const { slices, sender, tallied, served } = serve({ send: () => Promise.reject(unread) });
  const ended = served.catch((error: unknown) => error);
  sender.send(message('r0'));
  await round();
  await round();
  sender.send(message('r1'));
  sender.end();
  await round();
  await round();
  slices.settle();
  slices.settle();
  expect(await ended).toBe(unread);
  expect(tallied).toEqual([1, 1]);
});

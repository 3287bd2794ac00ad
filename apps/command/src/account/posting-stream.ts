/**
 * One PostStream call: postings come one by one, travel in slices, and are answered one by one.
 *
 *   read → gathered in the slice of this round → routed and decided as one batch → durable → answered → sent
 *
 * A slice costs one scan, one submission per partition and one hop per owner, whatever its length. All postings of a slice are answered when its
 * last one has its verdict; that trades a little of a posting's latency for that.
 */
import { scanPostingMessages, type PostingBatch } from '@sluice/protocol/account';
import { invalidRequest, type CallContext, type Send, type SluiceError } from '@sluice/service';
import { encodeStreamResponse } from './posting-response';
import { SHAPE_ISSUES, type Positions, type PostingRouter } from './posting-router';

/** Postings of one stream that are read and not answered; more are not read from the caller. */
const STREAM_WINDOW = 10_000;
/** Postings of one slice. */
const SLICE_POSTINGS = 256;

export interface PostingStreamDependencies {
  readonly router: Pick<PostingRouter, 'route' | 'submit'>;
  readonly tokenOf: (positions: Positions) => string;
  /** Counts the refusals of a slice. */
  readonly tally: (batch: PostingBatch) => void;
}

/** Serves the call; resolves when its caller has sent the last posting and every posting is answered. */
export async function servePostingStream(
  dependencies: PostingStreamDependencies,
  requests: AsyncIterable<Buffer>,
  send: Send<Buffer>,
  call: CallContext,
): Promise<void> {
  const stream = new PostingStream(dependencies, send, call);
  for await (const message of requests) await stream.take(message);
  await stream.finish();
}

class PostingStream {
  /** A message was none: nothing behind it is taken, and the call ends with this when what came before is answered. */
  private refused: SluiceError | undefined;
  private gathered: Buffer[] = [];
  private sliceAhead = false;
  /** Postings that were read and are not answered. */
  private open = 0;
  private wake: () => void = () => undefined;
  /** Sends the answers of one slice after the other; rejects when the call was ended. */
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly dependencies: PostingStreamDependencies,
    private readonly send: Send<Buffer>,
    private readonly call: CallContext,
  ) {}

  async take(message: Buffer): Promise<void> {
    this.gathered.push(message);
    this.open += 1;
    if (this.gathered.length >= SLICE_POSTINGS) this.submitGathered();
    else if (!this.sliceAhead) {
      this.sliceAhead = true;
      setImmediate(this.endRound);
    }
    if (this.open >= STREAM_WINDOW) await this.below(STREAM_WINDOW / 2);
  }

  async finish(): Promise<void> {
    this.submitGathered();
    await this.below(0);
    await this.sending;
    if (this.refused !== undefined) throw this.refused;
  }

  private readonly endRound = (): void => {
    this.sliceAhead = false;
    this.submitGathered();
  };

  private submitGathered(): void {
    const messages = this.gathered;
    if (messages.length === 0) return;
    this.gathered = [];
    if (this.refused !== undefined) {
      this.open -= messages.length;
      return;
    }
    const { router } = this.dependencies;
    const { batch, malformed } = scanPostingMessages(messages, SHAPE_ISSUES);
    if (malformed !== undefined) {
      this.refused = invalidRequest('request', `is not the message that the method takes: ${malformed}`);
      this.call.end(this.refused);
    }
    this.open -= messages.length - batch.count;
    router.submit(router.route(batch), this.call, (positions) => this.answer(batch, positions));
  }

  private answer(batch: PostingBatch, positions: Positions): void {
    this.dependencies.tally(batch);
    this.sending = this.sending
      .then(() => this.sendAnswers(batch, positions))
      .finally(() => {
        this.open -= batch.count;
        batch.release();
        this.wake();
      });
    // `finish` passes it on.
    this.sending.catch(() => undefined);
  }

  private async sendAnswers(batch: PostingBatch, positions: Positions): Promise<void> {
    const tokens = new Map<number, string>();
    for (let index = 0; index < batch.count; index += 1) {
      const partition = batch.partitions[index] as number;
      let token = tokens.get(partition);
      if (token === undefined) {
        token = this.dependencies.tokenOf(ofPartition(positions, partition));
        tokens.set(partition, token);
      }
      const sent = this.send(encodeStreamResponse(batch, index, token));
      if (sent !== undefined) await sent;
    }
  }

  /** Resolves when no more than so many postings are open. */
  private async below(limit: number): Promise<void> {
    while (this.open > limit)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
  }
}

/** What the answer of one posting depends on: its own partition. */
function ofPartition(positions: Positions, partition: number): Positions {
  const sequence = positions.get(partition);
  return sequence === undefined ? new Map<number, number>() : new Map([[partition, sequence]]);
}

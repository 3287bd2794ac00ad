/**
 * One call of a stream method whose messages are items: they come one by one, travel in slices, and are answered one by one.
 *
 *   read → gathered in the slice of this round → decided as one batch → durable → answered → sent
 *
 * A slice costs one submission per partition and one hop per owner, whatever its length. All items of a slice are answered when its last one has
 * its verdict; that trades a little of an item's latency for that.
 */
import { invalidRequest, refusal, type CallContext, type Send, type SluiceError } from '@sluice/service';

/** Items of one stream that are read and not answered; more are not read from the caller. */
const STREAM_WINDOW = 10_000;
/** What their messages take at most, except that one message may be larger. */
const STREAM_WINDOW_BYTES = 32 << 20;
/** Items of one slice. */
const SLICE_ITEMS = 256;

/** The answers of a slice, in the order of its items. */
export interface SliceAnswers {
  answer(index: number): Buffer;
  /** Called when the answers are sent, or cannot be. */
  release?(): void;
}

export interface Slice {
  /** Items that were read of the messages: all, or those before the one that is malformed. */
  readonly count: number;
  /** What is wrong with the message behind them; undefined: each one is an item. */
  readonly malformed: string | undefined;
  /** Rejects when the slice could not be decided, which ends the call. */
  readonly answers: Promise<SliceAnswers>;
}

/**
 * Serves the call; resolves when its caller has sent the last item and every item is answered.
 *
 * @param decide begins to decide a slice.
 */
export async function serveSlicedStream(
  decide: (messages: readonly Buffer[]) => Slice,
  requests: AsyncIterable<Buffer>,
  send: Send<Buffer>,
  call: CallContext,
): Promise<void> {
  const stream = new SlicedStream(decide, send, call);
  for await (const message of requests) await stream.take(message);
  await stream.finish();
}

class SlicedStream {
  /** Nothing that comes behind it is taken, and the call ends with this when what came before is answered. */
  private refused: SluiceError | undefined;
  private gathered: Buffer[] = [];
  private sliceAhead = false;
  /** Items that were read and are not answered. */
  private open = 0;
  private openBytes = 0;
  private wake: () => void = () => undefined;
  /** Sends the answers of one slice after the other; rejects when the call was ended. */
  private sending: Promise<void> = Promise.resolve();

  constructor(
    private readonly decide: (messages: readonly Buffer[]) => Slice,
    private readonly send: Send<Buffer>,
    private readonly call: CallContext,
  ) {}

  async take(message: Buffer): Promise<void> {
    this.gathered.push(message);
    this.open += 1;
    this.openBytes += message.length;
    const isFull = this.open >= STREAM_WINDOW || this.openBytes >= STREAM_WINDOW_BYTES;
    if (isFull || this.gathered.length >= SLICE_ITEMS) this.submitGathered();
    else if (!this.sliceAhead) {
      this.sliceAhead = true;
      setImmediate(this.endRound);
    }
    if (isFull) await this.below(STREAM_WINDOW / 2, STREAM_WINDOW_BYTES / 2);
  }

  async finish(): Promise<void> {
    this.submitGathered();
    await this.below(0, 0);
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
    const bytes = messages.reduce((sum, { length }) => sum + length, 0);
    if (this.refused !== undefined) {
      this.close(messages.length, bytes);
      return;
    }
    const { count, malformed, answers } = this.decide(messages);
    if (malformed !== undefined) {
      this.refused = invalidRequest('request', `is not the message that the method takes: ${malformed}`);
      this.call.end(this.refused);
    }
    this.close(messages.length - count, 0);
    answers.then(
      (decided) => this.answer(decided, count, bytes),
      (error: unknown) => this.fail(error, count, bytes),
    );
  }

  private answer(decided: SliceAnswers, count: number, bytes: number): void {
    this.sending = this.sending
      .then(() => this.sendAnswers(decided, count))
      .finally(() => {
        decided.release?.();
        this.close(count, bytes);
      });
    // `finish` passes it on.
    this.sending.catch(() => undefined);
  }

  private fail(error: unknown, count: number, bytes: number): void {
    this.refused ??= refusal('INTERNAL');
    this.call.end(this.refused);
    this.sending = this.sending.then(() => {
      throw error;
    });
    this.sending.catch(() => undefined);
    this.close(count, bytes);
  }

  private async sendAnswers(decided: SliceAnswers, count: number): Promise<void> {
    for (let index = 0; index < count; index += 1) {
      const sent = this.send(decided.answer(index));
      if (sent !== undefined) await sent;
    }
  }

  private close(count: number, bytes: number): void {
    this.open -= count;
    this.openBytes -= bytes;
    this.wake();
  }

  /** Resolves when no more than so many items are open, and so many bytes of them. */
  private async below(limit: number, limitBytes: number): Promise<void> {
    while (this.open > limit || this.openBytes > limitBytes)
      await new Promise<void>((resolve) => {
        this.wake = resolve;
      });
  }
}

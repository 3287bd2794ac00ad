/** Serves PostStream: a slice is scanned once, routed and decided as one batch. */
import { scanPostingMessages, type PostingBatch } from '@sluice/protocol/account';
import type { CallContext, Send } from '@sluice/service';
import { serveSlicedStream, type Slice, type SliceAnswers } from '../methods/sliced-stream';
import { encodeStreamResponse } from './posting-response';
import { SHAPE_ISSUES, type Positions, type PostingRouter } from './posting-router';

export interface PostingStreamDependencies {
  readonly router: Pick<PostingRouter, 'route' | 'submit'>;
  readonly tokenOf: (positions: Positions) => string;
  /** Counts the refusals of a slice. */
  readonly tally: (batch: PostingBatch) => void;
}

/** Serves the call; resolves when its caller has sent the last posting and every posting is answered. */
export function servePostingStream(
  dependencies: PostingStreamDependencies,
  requests: AsyncIterable<Buffer>,
  send: Send<Buffer>,
  call: CallContext,
): Promise<void> {
  return serveSlicedStream((messages) => decideSlice(dependencies, messages, call), requests, send, call);
}

function decideSlice({ router, tally, tokenOf }: PostingStreamDependencies, messages: readonly Buffer[], call: CallContext): Slice {
  const { batch, malformed } = scanPostingMessages(messages, SHAPE_ISSUES);
  const answers = new Promise<SliceAnswers>((resolve) => {
    router.submit(router.route(batch), call, (positions) => {
      tally(batch);
      resolve(answersOf(batch, positions, tokenOf));
    });
  });
  return { count: batch.count, malformed, answers };
}

function answersOf(batch: PostingBatch, positions: Positions, tokenOf: PostingStreamDependencies['tokenOf']): SliceAnswers {
  const tokens = new Map<number, string>();
  return {
    answer: (index) => {
      const partition = batch.partitions[index] as number;
      let token = tokens.get(partition);
      if (token === undefined) {
        token = tokenOf(ofPartition(positions, partition));
        tokens.set(partition, token);
      }
      return encodeStreamResponse(batch, index, token);
    },
    release: () => batch.release(),
  };
}

/** What the answer of one posting depends on: its own partition. */
function ofPartition(positions: Positions, partition: number): Positions {
  const sequence = positions.get(partition);
  return sequence === undefined ? new Map<number, number>() : new Map([[partition, sequence]]);
}

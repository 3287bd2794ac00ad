/**
 * Many callers that watch the standings of one contest, and one that scores: in one process, so that acknowledgement and sight are told by one clock.
 */
import * as grpc from '@grpc/grpc-js';
import { contestpb } from '@sluice/protocol/contest';
import { randomBytes } from 'node:crypto';
import { answerOrders } from '../machine/orders';
import { newHistogram, packHistogram, recordMs } from '../measure/latency';
import type { WatchAnswer, WatchOrder } from './watch-order';
import { watchedPoints } from './watched-points';

const WATCHERS_PER_CONNECTION = 100;
/** A score that a watcher has not seen by then is given up. */
const SEEN_TIMEOUT_MS = 10_000;
const OPEN_TIMEOUT_MS = 120_000;
/** Between two scores at least. */
const PAUSE_MS = 50;
const NOTHING: WatchAnswer = { acknowledged: 0, latency: packHistogram(newHistogram()), unseen: 0, complaint: undefined };

const asIs = (bytes: Buffer): Buffer => bytes;

type OpenOrder = Extract<WatchOrder, { kind: 'open' }>;
type ScoreOrder = Extract<WatchOrder, { kind: 'score' }>;

let audience: Audience | undefined;

answerOrders<WatchOrder, WatchAnswer>(async (order) => {
  switch (order.kind) {
    case 'open':
      audience = new Audience(order);
      await audience.opened();
      return NOTHING;
    case 'score':
      if (audience === undefined) throw new Error('nothing is watched');
      return audience.score(order);
    case 'close':
      audience?.close();
      audience = undefined;
      return NOTHING;
    default:
      return order satisfies never;
  }
});

class Audience {
  private readonly connections: readonly grpc.Client[];
  private readonly commands: contestpb.ContestCommandServiceClient;
  private readonly streams: readonly grpc.ClientReadableStream<Buffer>[];
  /** By watcher: the points that it was shown last; -1: none yet. */
  private readonly shown: number[];
  private readonly run = randomBytes(6).toString('hex');
  private scores = 0;
  private closing = false;
  private complaint: string | undefined;
  /** The points of a watcher went up: it has seen the one score that is under way. */
  private raised: () => void = () => undefined;

  constructor(private readonly order: OpenOrder) {
    const { address, contestId, accountId, watchers } = order;
    const options = { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_receive_message_length': -1 };
    this.commands = new contestpb.ContestCommandServiceClient(address, grpc.credentials.createInsecure(), options);
    this.connections = Array.from(
      { length: Math.ceil(watchers / WATCHERS_PER_CONNECTION) },
      () => new grpc.Client(address, grpc.credentials.createInsecure(), options),
    );
    this.shown = new Array<number>(watchers).fill(-1);
    const { path } = contestpb.ContestQueryServiceService.watchStandings;
    const request = Buffer.from(contestpb.WatchStandingsRequest.encode(contestpb.WatchStandingsRequest.fromPartial({ contestId, accountId })).finish());
    this.streams = this.shown.map((_, watcher) => {
      const connection = this.connections[Math.floor(watcher / WATCHERS_PER_CONNECTION)] as grpc.Client;
      const stream = connection.makeServerStreamRequest<Buffer, Buffer>(path, asIs, asIs, request, new grpc.Metadata());
      stream.on('data', (bytes: Buffer) => this.see(watcher, watchedPoints(bytes)));
      stream.on('error', (error) => this.ended(error.message));
      stream.on('end', () => this.ended('it ended'));
      return stream;
    });
  }

  /** Resolves when every watcher was shown the standings. */
  async opened(): Promise<void> {
    const missing = await this.untilAll((points) => points >= 0, OPEN_TIMEOUT_MS);
    if (missing > 0) throw new Error(`${missing} of ${this.shown.length} watches showed nothing: ${this.complaint}`);
  }

  async score({ warmUpMs, windowMs }: ScoreOrder): Promise<WatchAnswer> {
    const latency = newHistogram();
    const windowStart = performance.now() + warmUpMs;
    const windowEnd = windowStart + windowMs;
    let acknowledged = 0;
    let unseen = 0;
    while (performance.now() < windowEnd && this.complaint === undefined) {
      const seenAt: number[] = [];
      this.raised = () => seenAt.push(performance.now());
      const points = await this.scoreOnce();
      const acknowledgedAt = performance.now();
      acknowledged += 1;
      unseen += await this.untilAll((shown) => shown >= points, SEEN_TIMEOUT_MS);
      // What was seen before the acknowledgement took no time.
      if (acknowledgedAt >= windowStart) for (const at of seenAt) recordMs(latency, Math.max(0, at - acknowledgedAt));
      await pause(PAUSE_MS);
    }
    return { acknowledged, latency: packHistogram(latency), unseen, complaint: this.complaint };
  }

  close(): void {
    this.closing = true;
    for (const stream of this.streams) stream.cancel();
    for (const connection of this.connections) connection.close();
    this.commands.close();
  }

  private see(watcher: number, points: number): void {
    if (points <= (this.shown[watcher] as number)) return;
    this.shown[watcher] = points;
    this.raised();
  }

  private ended(why: string): void {
    if (!this.closing) this.complaint ??= `a watch ended: ${why}`;
  }

  /** Resolves with the points of the account from then on. */
  private scoreOnce(): Promise<number> {
    const { contestId, accountId } = this.order;
    this.scores += 1;
    const request = contestpb.ScoreRequest.fromPartial({ requestId: `watched-${this.run}-${this.scores}`, contestId, accountId, points: 1n });
    return new Promise((resolve, reject) =>
      this.commands.score(request, (error, response) => (error === null ? resolve(Number(response.totalPoints)) : reject(error))),
    );
  }

  /** Resolves with how many watchers are not shown such points in time. */
  private async untilAll(are: (points: number) => boolean, timeoutMs: number): Promise<number> {
    const untilMs = performance.now() + timeoutMs;
    for (;;) {
      const missing = this.shown.filter((points) => !are(points)).length;
      if (missing === 0 || this.complaint !== undefined || performance.now() > untilMs) return missing;
      await pause(PAUSE_MS);
    }
  }
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

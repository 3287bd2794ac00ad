/**
 * The deliveries of a partition in its snapshot. A block is JSON: a channel, or more of the commits that owe what an outgoing channel has
 * outstanding. What is copied when a snapshot begins is bounded by the number of channels; bodies are in the log.
 */
import { logpb } from '@sluice/protocol';
import type { SnapshotSession } from '../capability';
import type { DeliveryRoom } from './delivery-room';
import type { DeadLetter } from './outgoing-channel';
import type { Verdict } from './verdict';

/** Commits of one block. */
const BLOCK_COMMITS = 8_192;

type Numbered<Value> = readonly (readonly [number, Value])[];

interface OutgoingBlock {
  readonly kind: 'outgoing';
  readonly target: number;
  readonly owed: number;
  readonly settled: number;
  readonly dead: readonly DeadLetter[];
}

interface CommitsBlock {
  readonly kind: 'commits';
  readonly target: number;
  /** First number and sequence. */
  readonly commits: Numbered<number>;
}

interface IncomingBlock {
  readonly kind: 'incoming';
  readonly source: number;
  readonly taken: number;
  readonly recordedThrough: number;
  readonly lowestDead: number;
  readonly anchor: unknown;
  readonly verdicts: Numbered<StoredVerdict>;
  readonly redriven: Numbered<StoredVerdict>;
  readonly dead: readonly number[];
}

type Block = OutgoingBlock | CommitsBlock | IncomingBlock;

interface StoredVerdict {
  readonly accepted: boolean;
  readonly reason: string;
  /** Base64. */
  readonly answer: string;
}

export function snapshotOf(room: DeliveryRoom): SnapshotSession {
  const blocks: (() => Block)[] = [];
  for (const { target, owed, settled, dead, commits } of room.outgoing.values()) {
    const letters = [...dead.values()].map((letter) => ({ ...letter }));
    blocks.push(() => ({ kind: 'outgoing', target, owed, settled, dead: letters }));
    const pairs = commits.copy();
    for (let from = 0; from < pairs.length; from += BLOCK_COMMITS * 2) {
      blocks.push(() => ({ kind: 'commits', target, commits: paired(pairs.subarray(from, from + BLOCK_COMMITS * 2)) }));
    }
  }
  for (const { source, taken, recordedThrough, lowestDead, anchor, verdicts, redriven, dead } of room.incoming.values()) {
    const kept = { verdicts: [...verdicts], redriven: [...redriven], dead: [...dead] };
    blocks.push(() => ({
      kind: 'incoming',
      source,
      taken,
      recordedThrough,
      lowestDead,
      anchor: anchor && logpb.CommitAnchor.toJSON(anchor),
      verdicts: kept.verdicts.map(stored),
      redriven: kept.redriven.map(stored),
      dead: kept.dead,
    }));
  }
  let at = 0;
  return {
    next: () => {
      const block = blocks[at++];
      return block && Buffer.from(JSON.stringify(block()));
    },
    end: () => undefined,
  };
}

/** Takes one block back in. */
export function restoreBlock(room: DeliveryRoom, bytes: Uint8Array): void {
  const block = JSON.parse(Buffer.from(bytes).toString('utf8')) as Block;
  switch (block.kind) {
    case 'outgoing':
      restoreOutgoing(room, block);
      return;
    case 'commits': {
      const { commits } = room.outgoingTo(block.target);
      for (const [firstNumber, sequence] of block.commits) commits.add(firstNumber, sequence);
      return;
    }
    case 'incoming':
      restoreIncoming(room, block);
      return;
    default:
      throw new Error(`a block of ${(block satisfies never as Block).kind} is not known`);
  }
}

function restoreOutgoing(room: DeliveryRoom, { target, owed, settled, dead }: OutgoingBlock): void {
  const channel = room.outgoingTo(target);
  channel.owed = owed;
  channel.settleThrough(settled);
  for (const letter of dead) channel.dead.set(letter.number, { ...letter });
}

function restoreIncoming(room: DeliveryRoom, { source, taken, recordedThrough, lowestDead, anchor, verdicts, redriven, dead }: IncomingBlock): void {
  const channel = room.incomingFrom(source);
  Object.assign(channel, { taken, recordedThrough, lowestDead });
  if (anchor !== undefined) channel.anchor = logpb.CommitAnchor.fromJSON(anchor);
  for (const [number, verdict] of verdicts) channel.verdicts.set(number, revived(verdict));
  for (const [number, verdict] of redriven) channel.redriven.set(number, revived(verdict));
  for (const number of dead) channel.dead.add(number);
}

function stored([number, { accepted, reason, answer }]: readonly [number, Verdict]): readonly [number, StoredVerdict] {
  return [number, { accepted, reason, answer: Buffer.from(answer).toString('base64') }];
}

function revived({ accepted, reason, answer }: StoredVerdict): Verdict {
  return { accepted, reason, answer: Buffer.from(answer, 'base64') };
}

function paired(numbers: Float64Array): [number, number][] {
  const pairs: [number, number][] = [];
  for (let at = 0; at < numbers.length; at += 2) pairs.push([numbers[at] as number, numbers[at + 1] as number]);
  return pairs;
}

/**
 * Who owns a partition, as its log says: the epoch that the newest commit names, and the owner that began it. An owner's first commit of its epoch says who
 * it is, and epochs rise, so it is found by halving the log. What was found is remembered until the epoch is another one.
 */
import type { CommitRecord, EventLog } from '@sluice/ports';
import { type DecodedCommit, logEvents, readCommit } from '@sluice/protocol';

export interface NewestOwner {
  /** 0: the partition has no commit. */
  readonly epoch: number;
  /** Instance id; empty: the partition has no commit. */
  readonly owner: string;
}

const NO_OWNER: NewestOwner = { epoch: 0, owner: '' };
const ONE_COMMIT = { maxCommits: 1, maxBytes: 1 };

export class NewestOwners {
  readonly #log: EventLog;
  readonly #found = new Map<number, NewestOwner>();

  constructor(log: EventLog) {
    this.#log = log;
  }

  async of(partition: number): Promise<NewestOwner> {
    const head = await this.#log.head(partition);
    if (head === undefined) return NO_OWNER;
    const { epoch } = commitIn(head);
    const known = this.#found.get(partition);
    if (known?.epoch === epoch) return known;
    const found = { epoch, owner: ownerIn(await this.#firstOf(epoch, head)) };
    this.#found.set(partition, found);
    return found;
  }

  /** The first commit of the newest epoch. */
  async #firstOf(epoch: number, head: CommitRecord): Promise<DecodedCommit> {
    const { partition, sequence } = head;
    let first = commitIn(head);
    let before = 0;
    while (first.sequence - before > 1) {
      const middle = before + Math.floor((first.sequence - before) / 2);
      const [record] = await this.#log.read(partition, middle, ONE_COMMIT);
      if (record === undefined) throw new Error(`partition ${partition} has ${sequence} commits, but not number ${middle}`);
      const commit = commitIn(record);
      if (commit.epoch === epoch) first = commit;
      else before = middle;
    }
    return first;
  }
}

function commitIn({ bytes }: CommitRecord): DecodedCommit {
  return readCommit(bytes);
}

function ownerIn(commit: DecodedCommit): string {
  for (const event of commit.events) {
    const taken = logEvents.readOnly('OwnershipTaken', event, commit);
    if (taken !== undefined) return taken.owner;
  }
  return '';
}

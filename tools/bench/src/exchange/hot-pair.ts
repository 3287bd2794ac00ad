/** A capability of one hot aggregate per partition that counts: what it owes, what it was asked, and what it was told. */
import { partitionOfKey } from '@sluice/domain';
import type { Capability, CapabilityState, InternalCommand, InternalVerdict, SettledDelivery, SnapshotSession, Submission, Turn } from '@sluice/engine';

/** As large as a leg of a transfer. */
const PAYLOAD = Buffer.alloc(64, 0x2a);
const NOTHING = new Uint8Array(0);
const ACCEPTED: InternalVerdict = Object.freeze({ kind: 'accepted', payload: NOTHING });
const NAME = 'pair';
const RECORD_BYTES_PER_DELIVERY = 256;

export class PairState implements CapabilityState {
  owed = 0;
  applied = 0;
  told = 0;

  owe(turn: Turn, count: number, from: string, to: string): void {
    turn.gather(this);
    for (let each = 0; each < count; each += 1) {
      turn.owe({ capability: NAME, method: 'Count', key: to, payload: PAYLOAD, owedBy: { capability: NAME, key: from } });
    }
    this.owed += count;
  }

  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    turn.gather(this);
    this.applied += commands.length;
    return commands.map(() => ACCEPTED);
  }

  settled(turn: Turn, deliveries: readonly SettledDelivery[]): void {
    turn.gather(this);
    this.told += deliveries.length;
  }

  /** One event for a turn, as a hot account has one balance for it. */
  flush(turn: Turn): void {
    turn.commit.event('pair.Counted', 1, Buffer.from(`${this.owed} ${this.applied} ${this.told}`));
  }

  replay({ payload }: { readonly payload: Uint8Array }): undefined {
    const [owed = 0, applied = 0, told = 0] = Buffer.from(payload).toString().split(' ').map(Number);
    Object.assign(this, { owed, applied, told });
  }

  beginSnapshot(): SnapshotSession {
    return { next: () => undefined, end: () => undefined };
  }

  restore(): void {}
}

export const pair: Capability = { name: NAME, createState: () => new PairState() };

/** Deliveries that one caller's command owes. */
export class Owing implements Submission {
  readonly commandCount = 1;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly done: Promise<void>;
  private resolve!: () => void;
  private reject!: (error: Error) => void;

  constructor(
    private readonly state: PairState,
    private readonly count: number,
    private readonly from: string,
    private readonly to: string,
  ) {
    this.sizeBytes = count * PAYLOAD.length;
    this.recordBytes = count * RECORD_BYTES_PER_DELIVERY;
    this.done = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  decide(turn: Turn): void {
    this.state.owe(turn, this.count, this.from, this.to);
  }

  settle(): void {
    this.resolve();
  }

  fail(failure: string): void {
    this.reject(new Error(failure));
  }
}

export function keyIn(partition: number, partitions: number): string {
  for (let number = 0; ; number += 1) {
    const key = `hot-${number}`;
    if (partitionOfKey(Buffer.from(key), partitions) === partition) return key;
  }
}

/**
 * The smallest capability that shows what a partition promises: lines of text in the order in which they were decided, each with the
 * number that it got. A line that begins with "?" asks and writes nothing; "!" is a programmer's error. "+NAME@TIME" also sets a timer that
 * writes a line with its id, "-NAME" cancels it.
 */
import type { EventRecord } from '@sluice/protocol';
import type { Capability, CapabilityState, PartitionServices, SnapshotSession, Submission, SubmissionFailure } from '../capability';
import type { TimerName } from '../internal/engine-room';
import type { InternalCommand, InternalVerdict } from '../internal/internal-command';
import type { Partition } from '../partition/partition';
import type { Turn } from '../partition/turn';
import { lastHash, requestHash } from '../request-index/request-hash';

/** Lines of one block of a snapshot: so few that snapshots have many. */
const BLOCK_LINES = 5;
/** What an event of a line has beside the line. */
const LINE_FRAME_BYTES = 48;

export class JournalState implements CapabilityState {
  readonly lines: string[] = [];
  private gathered: string[] = [];

  constructor(private readonly services: PartitionServices) {}

  write(line: string, turn: Turn): number {
    if (line.startsWith('!')) throw new Error(`the line ${line} cannot be decided`);
    if (line.startsWith('?')) return this.lines.length;
    const [, name, time] = /^\+(.*)@(\d+)$/.exec(line) ?? [];
    if (name !== undefined) turn.setTimer({ ...timerOf(name), dueAtUs: Number(time), method: 'Write', payload: Buffer.from(name) });
    if (line.startsWith('-')) turn.cancelTimer(timerOf(line.slice(1)));
    this.append(line, turn);
    return this.lines.length;
  }

  /** Writes a line with the command's id. A method that is not "Write" cannot be decided; a payload that begins with "no" is rejected. */
  decideInternal(turn: Turn, commands: readonly InternalCommand[]): InternalVerdict[] {
    const verdicts: InternalVerdict[] = [];
    for (const { method, id, payload } of commands) {
      if (method !== 'Write') {
        verdicts.push({ kind: 'undecidable', reason: `the journal has no method ${method}` });
        break;
      }
      const rejected = Buffer.from(payload).toString().startsWith('no');
      if (!rejected) this.append(id, turn);
      verdicts.push(rejected ? { kind: 'rejected', reason: 'NOT_WANTED', payload } : { kind: 'accepted', payload });
    }
    return verdicts;
  }

  flush(turn: Turn): void {
    for (const line of this.gathered.splice(0)) turn.commit.event('journal.LineWritten', 1, Buffer.from(line));
  }

  replay(event: EventRecord, commit: { sequence: number }): undefined {
    if (event.version !== 1) throw new Error(`version ${event.version} is not known`);
    const line = Buffer.from(event.payload).toString();
    this.lines.push(line);
    this.remember(line, commit.sequence);
  }

  beginSnapshot(): SnapshotSession {
    const count = this.lines.length;
    let at = 0;
    return {
      next: () => {
        if (at >= count) return undefined;
        const block = this.lines.slice(at, Math.min(at + BLOCK_LINES, count));
        at += BLOCK_LINES;
        return Buffer.from(JSON.stringify(block));
      },
      end: () => undefined,
    };
  }

  restore(block: Uint8Array): void {
    this.lines.push(...(JSON.parse(Buffer.from(block).toString()) as string[]));
  }

  private append(line: string, turn: Turn): void {
    turn.gather(this);
    this.lines.push(line);
    this.gathered.push(line);
    this.remember(line, turn.sequence);
  }

  private remember(line: string, sequence: number): void {
    const { first, second } = hashOf(this.services, line);
    this.services.index.add(first, second, sequence);
  }
}

function timerOf(timerId: string): TimerName {
  return { capability: 'journal', key: 'journal', timerId };
}

export function hashOf({ seeds }: Pick<PartitionServices, 'seeds'>, line: string): { first: number; second: number } {
  const bytes = Buffer.from(line);
  requestHash(seeds, 0, bytes, 0, bytes.length);
  return { ...lastHash };
}

export const journal: Capability = { name: 'journal', createState: (services) => new JournalState(services) };

export type Answer = { readonly numbers: readonly number[]; readonly sequence: number } | SubmissionFailure;

/** Lines of one caller. */
export class Lines implements Submission {
  readonly commandCount: number;
  readonly sizeBytes: number;
  readonly recordBytes: number;
  readonly answer: Promise<Answer>;
  /** Undefined while it waits. */
  answered: Answer | undefined;
  private resolve!: (answer: Answer) => void;
  private readonly numbers: number[] = [];

  constructor(
    private readonly partition: Partition,
    readonly lines: readonly string[],
    readonly prepared?: Promise<void>,
    readonly traceparent?: string,
  ) {
    this.commandCount = lines.length;
    this.sizeBytes = lines.reduce((sum, line) => sum + line.length, 0);
    this.recordBytes = this.sizeBytes + this.commandCount * LINE_FRAME_BYTES;
    this.answer = new Promise((resolve) => {
      this.resolve = resolve;
    });
  }

  decide(turn: Turn): void {
    const state = this.partition.stateOf('journal') as JournalState;
    for (const line of this.lines) this.numbers.push(state.write(line, turn));
  }

  settle(sequence: number): void {
    this.end({ numbers: this.numbers, sequence });
  }

  fail(failure: SubmissionFailure): void {
    this.end(failure);
  }

  private end(answer: Answer): void {
    if (this.answered !== undefined) throw new Error(`the lines ${this.lines.join()} are answered twice`);
    this.answered = answer;
    this.resolve(answer);
  }
}

/** A log in memory of a process that dies at one of its appends: nothing that the process does afterwards reaches the log. */
import { MemoryEventLog, type MemoryLogStorage } from '@sluice/memory';
import { AppendFailedError, type CommitToAppend } from '@sluice/ports';

export interface Mortality {
  /** Appends that are made before the process dies. */
  appendsLeft: number;
  /** Whether the last append is stored, though nobody hears of it. */
  readonly isStored: boolean;
  isDead: boolean;
}

export class MortalLog extends MemoryEventLog {
  constructor(
    storage: MemoryLogStorage,
    private readonly mortality: Mortality,
  ) {
    super(storage);
  }

  static immortal(): Mortality {
    return { appendsLeft: Number.MAX_SAFE_INTEGER, isStored: false, isDead: false };
  }

  override async append(commit: CommitToAppend): Promise<void> {
    const { mortality } = this;
    if (mortality.isDead) throw new AppendFailedError('the process is dead');
    mortality.appendsLeft -= 1;
    if (mortality.appendsLeft > 0) return super.append(commit);
    mortality.isDead = true;
    if (mortality.isStored) await super.append(commit);
    throw new AppendFailedError('the process dies');
  }
}

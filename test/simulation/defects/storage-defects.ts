/** Defects of what is durable and in which order. */
import { MemoryEventLog, MemoryReadCopy } from '@sluice/memory';
import { CheckpointMovedError, SequenceTakenError, type CommitToAppend } from '@sluice/ports';
import { SimulatedEventLog } from '../world/simulated-event-log';
import type { Defect } from './index';
import { replaceMethod } from './replace-method';

export const storageDefects = {
  'answer-before-durable': {
    what: 'The engine takes a commit for durable as soon as it has been sent to the log.',
    foundWithin: 10,
    plant: () =>
      replaceMethod(
        SimulatedEventLog.prototype,
        'append',
        (append) =>
          async function (this: SimulatedEventLog, commit: CommitToAppend) {
            append.call(this, commit).catch(() => undefined);
          },
      ),
  },
  'skip-the-fence': {
    what: 'The log lets a second owner write a sequence that the first one has written.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        MemoryEventLog.prototype,
        'append',
        (append) =>
          async function (this: MemoryEventLog, commit: CommitToAppend) {
            try {
              await append.call(this, commit);
            } catch (error) {
              if (!(error instanceof SequenceTakenError)) throw error;
            }
          },
      ),
  },
  'forget-a-failed-append': {
    what: 'The engine takes an append whose outcome is unknown for one that was stored.',
    foundWithin: 10,
    plant: () =>
      replaceMethod(
        SimulatedEventLog.prototype,
        'append',
        (append) =>
          async function (this: SimulatedEventLog, commit: CommitToAppend) {
            await append.call(this, commit).catch((error: unknown) => {
              if (error instanceof SequenceTakenError) throw error;
            });
          },
      ),
  },
  'checkpoint-without-guard': {
    what: 'The read store takes a batch although the checkpoint is not where the batch expects it.',
    foundWithin: 40,
    plant: () =>
      replaceMethod(
        MemoryReadCopy.prototype,
        'apply',
        (apply) =>
          async function (this: MemoryReadCopy, batch: Parameters<MemoryReadCopy['apply']>[0]) {
            const standing = (await this.checkpoints()).find(({ partition }) => partition === batch.partition)?.sequence ?? 0;
            await apply.call(this, { ...batch, previousSequence: standing });
          },
      ),
  },
  'replace-rows-blindly': {
    what: 'The read store writes a row although a newer one stands there.',
    foundWithin: 40,
    plant: () =>
      replaceMethod(
        MemoryReadCopy.prototype,
        'apply',
        (apply) =>
          async function (this: MemoryReadCopy, batch: Parameters<MemoryReadCopy['apply']>[0]) {
            try {
              await apply.call(this, batch);
            } catch (error) {
              // The rows are written, only the checkpoint is not.
              if (!(error instanceof CheckpointMovedError)) throw error;
              const standing = (await this.checkpoints()).find(({ partition }) => partition === batch.partition);
              await apply.call(this, {
                ...batch,
                previousSequence: standing?.sequence ?? 0,
                sequence: standing?.sequence ?? 0,
                committedAtUs: standing?.committedAtUs ?? 0,
              });
              throw error;
            }
          },
      ),
  },
} satisfies Record<string, Defect>;

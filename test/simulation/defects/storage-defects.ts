/** Defects of what is durable and in which order. */
import { MemoryEventLog } from '@sluice/memory';
import { SequenceTakenError, type CommitToAppend } from '@sluice/ports';
import { SimulatedEventLog } from '../world/simulated-event-log';
import type { Defect } from './defect';
import { replaceMethod } from './replace-method';

export const storageDefects = {
  'answer-before-durable': {
    what: 'The engine takes a commit for durable as soon as it has been sent to the log.',
    foundWithin: 20,
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
    foundWithin: 400,
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
    foundWithin: 100,
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
} satisfies Record<string, Defect>;

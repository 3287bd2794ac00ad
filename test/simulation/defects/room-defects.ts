/** Defects of what the engine keeps beside the capabilities: deliveries and timers. */
import { SettleSubmission } from '../../../libs/engine/src/deliveries/settle-submission';
import { TakeSubmission } from '../../../libs/engine/src/deliveries/take-submission';
import { TimerRoom } from '../../../libs/engine/src/timers/timer-room';
import type { Defect } from './defect';
import { replaceMethod } from './replace-method';

interface Taking {
  readonly batch: { readonly redriven: number; readonly owed: readonly { readonly firstNumber: number; readonly count: number }[] };
  readonly channel: { taken: number };
}

export const roomDefects = {
  'apply-a-delivery-twice': {
    what: 'A target decides deliveries anew that it has taken before.',
    foundWithin: 60,
    plant: () =>
      replaceMethod(
        TakeSubmission.prototype,
        'decide',
        (decide) =>
          function (this: TakeSubmission, ...values: Parameters<TakeSubmission['decide']>) {
            const { batch, channel } = this as unknown as Taking;
            const [first] = batch.owed;
            const last = batch.owed.at(-1);
            // The end of the batch is the newest that was taken: all of it is a repeat.
            const isRepeat = batch.redriven === 0 && first !== undefined && last !== undefined && last.firstNumber + last.count - 1 === channel.taken;
            if (isRepeat) channel.taken = first.firstNumber - 1;
            decide.apply(this, values);
          },
      ),
  },
  'drop-a-verdict': {
    what: 'A source records verdicts on deliveries and does not tell the capability that owed them.',
    foundWithin: 20,
    plant: () =>
      replaceMethod(
        SettleSubmission.prototype as never as { tell(turn: unknown, capability: string, run: readonly unknown[]): void },
        'tell',
        (tell) =>
          function (this: unknown, turn: unknown, capability: string, run: readonly unknown[]) {
            tell.call(this as never, turn, capability, run.slice(1));
          },
      ),
  },
  'forget-a-timer': {
    what: 'One timer in three is not kept.',
    foundWithin: 20,
    plant: () => {
      let count = 0;
      return replaceMethod(
        TimerRoom.prototype,
        'set',
        (set) =>
          function (this: TimerRoom, ...values: Parameters<TimerRoom['set']>) {
            count += 1;
            if (count % 3 !== 0) set.apply(this, values);
          },
      );
    },
  },
} satisfies Record<string, Defect>;

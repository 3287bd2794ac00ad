/** Events of branches between the log and the domain. */
import type { BranchEvent, StepDone } from '@sluice/domain/businessday';
import type { EventCodec } from '@sluice/engine';
import type { EventHandlersOf, EventRecord, logpb } from '@sluice/protocol';
import { businessDayEvents } from '@sluice/protocol/businessday';
import { GOAL_NAMES } from './business-day-names';
import { termsFromProto, termsToProto } from './products-on-the-wire';
import { settingsFromProto, settingsToProto, stepFromProto, stepToProto } from './settings-on-the-wire';

export const branchEventCodec: EventCodec<BranchEvent> = {
  write: writeEvent,
  read: (event, place) => businessDayEvents.read(event, place, reading, undefined),
};

function writeEvent(event: BranchEvent, branchId: string): EventRecord {
  switch (event.kind) {
    case 'registered':
      return businessDayEvents.record('BranchRegistered', {
        branchId,
        settings: settingsToProto(event.settings),
        date: event.date,
        closedDate: event.closedDate,
      });
    case 'updated':
      return businessDayEvents.record('BranchUpdated', { branchId, settings: settingsToProto(event.settings) });
    case 'datesSet':
      return businessDayEvents.record('DatesSet', { branchId, date: event.date, closedDate: event.closedDate, reason: event.reason });
    case 'datesInForce':
      return businessDayEvents.record('DatesInForce', { branchId, onlineDate: event.onlineDate });
    case 'runBegun': {
      const { date, nextDate, untilDate } = event;
      return businessDayEvents.record('RunBegun', {
        branchId,
        date,
        nextDate,
        untilDate,
        goal: GOAL_NAMES.toProto(event.goal),
        steps: event.steps.map(stepToProto),
      });
    }
    case 'goalRaised':
      return businessDayEvents.record('GoalRaised', { branchId, date: event.date, goal: GOAL_NAMES.toProto(event.goal), untilDate: event.untilDate });
    case 'termsTaken':
      return businessDayEvents.record('TermsTaken', { branchId, date: event.date, terms: event.terms.map(termsToProto) });
    case 'stepBegun':
      return businessDayEvents.record('StepBegun', { branchId, date: event.date, step: event.step });
    case 'stepAdvanced': {
      const { date, step, partition, done, outstanding } = event;
      return businessDayEvents.record('StepAdvanced', { branchId, date, step, partition, done, outstanding });
    }
    case 'stepEnded':
      return businessDayEvents.record('StepEnded', { branchId, date: event.date, step: event.step, stragglers: event.stragglers });
    case 'onlineDateMoved':
      return businessDayEvents.record('OnlineDateMoved', { branchId, date: event.date, step: event.step, onlineDate: event.onlineDate });
    case 'batchDateMoved': {
      const { date, step, batchDate, forcedReason } = event;
      return businessDayEvents.record('BatchDateMoved', { branchId, date, step, batchDate, forcedReason });
    }
    case 'paused':
      return businessDayEvents.record('BatchPaused', { branchId, date: event.date });
    case 'resumed':
      return businessDayEvents.record('BatchResumed', { branchId, date: event.date });
    default:
      return event satisfies never;
  }
}

const reading: EventHandlersOf<typeof businessDayEvents, undefined, BranchEvent> = {
  BranchRegistered: ({ settings, date, closedDate }) => ({ kind: 'registered', settings: settingsFromProto(settings), date, closedDate }),
  BranchUpdated: ({ settings }) => ({ kind: 'updated', settings: settingsFromProto(settings) }),
  DatesSet: ({ date, closedDate, reason }) => ({ kind: 'datesSet', date, closedDate, reason }),
  DatesInForce: ({ onlineDate }) => ({ kind: 'datesInForce', onlineDate }),
  RunBegun: ({ date, nextDate, goal, untilDate, steps }) => ({
    kind: 'runBegun',
    ...{ date, nextDate, untilDate, goal: GOAL_NAMES.fromProto(goal), steps: steps.map(stepFromProto) },
  }),
  GoalRaised: ({ date, goal, untilDate }) => ({ kind: 'goalRaised', date, goal: GOAL_NAMES.fromProto(goal), untilDate }),
  TermsTaken: ({ date, terms }) => ({ kind: 'termsTaken', date, terms: terms.map(termsFromProto) }),
  StepBegun: ({ date, step }) => ({ kind: 'stepBegun', date, step }),
  StepAdvanced: ({ date, step, partition, done, outstanding }) => ({ kind: 'stepAdvanced', date, step, partition, done: doneOf(done), outstanding }),
  StepEnded: ({ date, step, stragglers }) => ({ kind: 'stepEnded', date, step, stragglers }),
  OnlineDateMoved: ({ date, step, onlineDate }) => ({ kind: 'onlineDateMoved', date, step, onlineDate }),
  BatchDateMoved: ({ date, step, batchDate, forcedReason }) => ({ kind: 'batchDateMoved', date, step, batchDate, forcedReason }),
  BatchPaused: ({ date }) => ({ kind: 'paused', date }),
  BatchResumed: ({ date }) => ({ kind: 'resumed', date }),
  ProductSet: () => {
    throw new Error('a branch has an event of the catalogue');
  },
};

function doneOf(done: logpb.DayStepDone | undefined): StepDone {
  if (done === undefined) throw new Error('a step advanced, and nothing is said of it');
  return done;
}

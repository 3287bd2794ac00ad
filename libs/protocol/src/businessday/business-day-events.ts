/** The events of business days. */
import { EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  BatchDateMoved,
  BatchPaused,
  BatchResumed,
  BranchRegistered,
  BranchUpdated,
  DatesInForce,
  DatesSet,
  GoalRaised,
  OnlineDateMoved,
  ProductSet,
  RunBegun,
  StepAdvanced,
  StepBegun,
  StepEnded,
  TermsTaken,
} from '../generated/index.sluice.businessday.v1';

export const businessDayEvents = new EventTable('businessday', {
  BranchRegistered: EventDefinition.first('sluice.businessday.v1.BranchRegistered', BranchRegistered),
  BranchUpdated: EventDefinition.first('sluice.businessday.v1.BranchUpdated', BranchUpdated),
  DatesSet: EventDefinition.first('sluice.businessday.v1.DatesSet', DatesSet),
  DatesInForce: EventDefinition.first('sluice.businessday.v1.DatesInForce', DatesInForce),
  RunBegun: EventDefinition.first('sluice.businessday.v1.RunBegun', RunBegun),
  GoalRaised: EventDefinition.first('sluice.businessday.v1.GoalRaised', GoalRaised),
  TermsTaken: EventDefinition.first('sluice.businessday.v1.TermsTaken', TermsTaken),
  StepBegun: EventDefinition.first('sluice.businessday.v1.StepBegun', StepBegun),
  StepAdvanced: EventDefinition.first('sluice.businessday.v1.StepAdvanced', StepAdvanced),
  StepEnded: EventDefinition.first('sluice.businessday.v1.StepEnded', StepEnded),
  OnlineDateMoved: EventDefinition.first('sluice.businessday.v1.OnlineDateMoved', OnlineDateMoved),
  BatchDateMoved: EventDefinition.first('sluice.businessday.v1.BatchDateMoved', BatchDateMoved),
  BatchPaused: EventDefinition.first('sluice.businessday.v1.BatchPaused', BatchPaused),
  BatchResumed: EventDefinition.first('sluice.businessday.v1.BatchResumed', BatchResumed),
  ProductSet: EventDefinition.first('sluice.businessday.v1.ProductSet', ProductSet),
});

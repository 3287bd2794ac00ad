/** The events of tasks. */
import { EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  AttemptsEnded,
  AttemptsStarted,
  ProgressRecorded,
  QueueConfigured,
  QueuePaused,
  QueuePurged,
  ScheduleCreated,
  ScheduleDeleted,
  SchedulePaused,
  ScheduleRan,
  TasksCreated,
  TasksEnded,
} from '../generated/index.sluice.task.v1';

export const taskEvents = new EventTable('task', {
  TasksCreated: EventDefinition.first('sluice.task.v1.TasksCreated', TasksCreated),
  AttemptsStarted: EventDefinition.first('sluice.task.v1.AttemptsStarted', AttemptsStarted),
  AttemptsEnded: EventDefinition.first('sluice.task.v1.AttemptsEnded', AttemptsEnded),
  TasksEnded: EventDefinition.first('sluice.task.v1.TasksEnded', TasksEnded),
  ProgressRecorded: EventDefinition.first('sluice.task.v1.ProgressRecorded', ProgressRecorded),
  QueueConfigured: EventDefinition.first('sluice.task.v1.QueueConfigured', QueueConfigured),
  QueuePaused: EventDefinition.first('sluice.task.v1.QueuePaused', QueuePaused),
  QueuePurged: EventDefinition.first('sluice.task.v1.QueuePurged', QueuePurged),
  ScheduleCreated: EventDefinition.first('sluice.task.v1.ScheduleCreated', ScheduleCreated),
  SchedulePaused: EventDefinition.first('sluice.task.v1.SchedulePaused', SchedulePaused),
  ScheduleDeleted: EventDefinition.first('sluice.task.v1.ScheduleDeleted', ScheduleDeleted),
  ScheduleRan: EventDefinition.first('sluice.task.v1.ScheduleRan', ScheduleRan),
});

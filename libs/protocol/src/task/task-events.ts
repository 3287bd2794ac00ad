/** The events of tasks. */
import { EventDefinition } from '../events/event-definition';
import { EventTable } from '../events/event-table';
import {
  ProgressRecorded,
  QueueConfigured,
  QueuePaused,
  QueuePurged,
  ScheduleCreated,
  ScheduleDeleted,
  SchedulePaused,
  ScheduleRan,
  TasksEnded,
} from '../generated/index.sluice.task.v1';
import { attemptsEndedCodec, attemptsStartedCodec } from './attempt-events';
import { tasksCreatedCodec } from './task-batch';

export const taskEvents = new EventTable('task', {
  TasksCreated: EventDefinition.first('sluice.task.v1.TasksCreated', tasksCreatedCodec),
  AttemptsStarted: EventDefinition.first('sluice.task.v1.AttemptsStarted', attemptsStartedCodec),
  AttemptsEnded: EventDefinition.first('sluice.task.v1.AttemptsEnded', attemptsEndedCodec),
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

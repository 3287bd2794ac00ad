/** Tasks: their settings and metrics. */
import { SECONDS } from '@sluice/telemetry';
import { optional, setting } from '../config/setting';
import { text, wholeNumber } from '../config/values';
import type { ServiceCapability } from '../service-capability';

/** Work takes longer than what the server does. */
const RUN_SECONDS = [0.01, 0.1, 1, 10, 60, 600, 3_600, 21_600];

export const serviceCapability = {
  name: 'task',
  settings: {
    taskHandlers: optional(text(), 'none', 'Path of a module whose handlers run tasks in this process ([tasks.md](tasks.md#handlers-in-the-servers-process)).'),
    taskHandlerThreads: setting(wholeNumber(1, 1_000), 4, 'Tasks that the handlers of `taskHandlers` run at once, each in a thread of its own.'),
    taskMetricQueues: setting(wholeNumber(0, 10_000), 100, 'Queues with metrics of their own; the metrics of further ones are added up as `(others)`.'),
  },
  metrics: {
    'sluice.task.submitted': { kind: 'counter', unit: '{task}', attributes: ['queue'], meaning: 'Tasks that were submitted.' },
    'sluice.task.started': { kind: 'counter', unit: '{attempt}', attributes: ['queue'], meaning: 'Attempts that were started.' },
    'sluice.task.ended': { kind: 'counter', unit: '{task}', attributes: ['queue', 'state'], meaning: 'Tasks that ended, by the state in which they did.' },
    'sluice.task.attempts_failed': {
      kind: 'counter',
      unit: '{attempt}',
      attributes: ['queue', 'kind'],
      meaning: 'Attempts that failed, by the kind of the failure; those that are tried again included.',
    },
    'sluice.task.limits_hit': {
      kind: 'counter',
      unit: '{task}',
      attributes: ['queue', 'limit'],
      meaning: 'Tasks and attempts that a time limit ended, by the limit; lost workers are HEARTBEAT.',
    },
    'sluice.task.wait.duration': {
      kind: 'histogram',
      unit: 's',
      attributes: ['queue'],
      meaning: 'From submission, or the time before which an attempt may not start, to its start.',
      buckets: SECONDS,
    },
    'sluice.task.hand_out.duration': {
      kind: 'histogram',
      unit: 's',
      attributes: ['queue'],
      meaning: 'From the decision to start an attempt until it leaves for its worker.',
      buckets: SECONDS,
    },
    'sluice.task.run.duration': {
      kind: 'histogram',
      unit: 's',
      attributes: ['queue'],
      meaning: 'From the hand-out of an attempt until the report of its end, or what else ended it.',
      buckets: RUN_SECONDS,
    },
    'sluice.task.waiting': {
      kind: 'gauge',
      unit: '{task}',
      attributes: ['queue'],
      meaning: 'Tasks that wait for a worker, for their key, or for a limit of their queue.',
    },
    'sluice.task.delayed': {
      kind: 'gauge',
      unit: '{task}',
      attributes: ['queue'],
      meaning: 'Tasks that wait for their time: a delay, or the pause after a failure.',
    },
    'sluice.task.running': { kind: 'gauge', unit: '{task}', attributes: ['queue'], meaning: 'Attempts under way.' },
    'sluice.task.oldest_waiting': {
      kind: 'gauge',
      unit: 's',
      attributes: ['queue'],
      meaning: 'How long the task that waits longest has waited; 0: none waits.',
    },
  },
} as const satisfies ServiceCapability;

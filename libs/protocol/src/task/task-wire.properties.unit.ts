/** What is read and written by hand for many tasks, against the generated codec. */
import * as fc from 'fast-check';
import { CreateTasksRequest, CreateTasksResponse, TaskSubmission } from '../generated/sluice/task/v1/command_service';
import * as events from '../generated/sluice/task/v1/events';
import { TaskSpec } from '../generated/sluice/task/v1/task';
import { WorkResponse } from '../generated/sluice/task/v1/worker_service';
import { attemptsEndedCodec, attemptsStartedCodec } from './attempt-events';
import { PlainTask, PlainTaskReader } from './plain-task';
import { readTaskBatch, tasksCreatedCodec, TaskResultsWriter } from './task-batch';
import { AssignedPlainTask, writeWorkResponse } from './work-messages';

const text = fc.oneof(
  fc.constantFrom('', 'mail', 'é', '語', 'a'.repeat(127), 'b'.repeat(128)),
  fc.string({ maxLength: 12 }),
  fc.string({ unit: 'binary', maxLength: 5 }),
);
const bytes = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.constant(new Uint8Array(300))).map((content) => Buffer.from(content));
const count = fc.nat({ max: 0xffff_ffff });
const time = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const often = <Value>(value: Value, arbitrary: fc.Arbitrary<Value>): fc.Arbitrary<Value> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant(value) }, { weight: 1, arbitrary });

const spec: fc.Arbitrary<TaskSpec> = fc
  .record({
    type: text,
    payload: bytes,
    contentType: text,
    priority: often(0, fc.integer({ min: -1_000_000_000, max: 1_000_000_000 })),
    key: often('', text),
    delayMs: often(0, count),
    limits: often(undefined as object | undefined, fc.record({ heartbeatMs: count })),
    retry: often(undefined as object | undefined, fc.record({ maximumAttempts: count })),
    dedupeKey: often('', text),
    dedupeRule: fc.integer({ min: 0, max: 4 }),
    labels: often({}, fc.dictionary(text, text, { maxKeys: 3 })),
    parentTaskId: often('', text),
  })
  .map((fields) => TaskSpec.fromPartial({ ...fields, labels: { ...fields.labels } }));
const submission = fc.record({ requestId: text, task: fc.oneof({ weight: 9, arbitrary: spec }, { weight: 1, arbitrary: fc.constant(undefined) }) });
const lease = fc.record({ taskId: text, leaseToken: text });

function submitted(task: PlainTask | TaskSubmission): TaskSubmission {
  return task instanceof PlainTask ? { requestId: task.requestId, task: task.spec } : task;
}

function plainOf(task: TaskSubmission): PlainTask | undefined {
  const encoded = Buffer.from(TaskSubmission.encode(task).finish());
  return new PlainTaskReader(encoded).read(0, encoded.length);
}

test('a batch is read as the generated codec reads it', () => {
  fc.assert(
    fc.property(text, fc.array(submission, { maxLength: 4 }), (queue, tasks) => {
      const request = { queue, tasks };
      const expected = CreateTasksRequest.decode(CreateTasksRequest.encode(request).finish());
      const batch = readTaskBatch(Buffer.from(CreateTasksRequest.encode(request).finish()));
      expect({ queue: batch.queue, tasks: batch.tasks.map(submitted) }).toEqual(expected);
    }),
  );
});

test('a task is plain if it says no more than type, payload, content type, priority and key', () => {
  const says = (fields: Partial<TaskSpec>): TaskSubmission => ({ requestId: 'r', task: TaskSpec.fromPartial({ type: 'mail', ...fields }) });
  const plain = [{}, { payload: Buffer.from('x'), contentType: 'text/plain', dedupeRule: 1 }, { priority: -5, key: 'k' }, { payload: Buffer.alloc(200) }];
  for (const fields of plain) expect(plainOf(says(fields))).toBeDefined();
  const others = [
    { type: '' },
    { type: 'é' },
    { delayMs: 1 },
    { labels: { a: 'b' } },
    { dedupeKey: 'd' },
    { parentTaskId: 'q/1' },
    { limits: { heartbeatMs: 9 } },
  ];
  for (const fields of others) expect(plainOf(says(fields as Partial<TaskSpec>))).toBeUndefined();
});

test('the bytes of a plain task are those that the generated codec writes, with the payload and without', () => {
  fc.assert(
    fc.property(submission, (task) => {
      const plain = plainOf(task);
      fc.pre(plain !== undefined);
      const { type, priority, key, payload } = task.task as TaskSpec;
      expect(plain).toMatchObject({ type, priority, key, requestId: task.requestId });
      expect(plain.payload).toEqual(payload);
      expect(plain.specWithoutPayload()).toEqual(Buffer.from(TaskSpec.encode({ ...(task.task as TaskSpec), payload: Buffer.alloc(0) }).finish()));
    }),
  );
});

test('whatever the bytes are, a plain task is what the generated codec reads in them', () => {
  fc.assert(
    fc.property(fc.array(submission, { minLength: 1, maxLength: 2 }), fc.nat(), fc.nat({ max: 255 }), (tasks, at, byte) => {
      const encoded = Buffer.from(CreateTasksRequest.encode({ queue: 'q', tasks }).finish());
      encoded[at % encoded.length] = byte;
      let batch: ReturnType<typeof readTaskBatch>;
      try {
        batch = readTaskBatch(encoded);
      } catch {
        return;
      }
      for (const task of batch.tasks)
        if (task instanceof PlainTask) expect(submitted(task)).toEqual(TaskSubmission.decode(encoded.subarray(task.at, task.end)));
    }),
  );
});

test('the event of submissions is read and written as the generated codec does it', () => {
  const created = fc
    .record({ requestId: text, spec, startAtUs: often(0n, fc.bigInt({ min: 0n, max: 1n << 53n })), retryOf: often('', text), schedule: often('', text) })
    .map((fields) => events.CreatedTask.fromPartial(fields));
  fc.assert(
    fc.property(text, fc.bigInt({ min: 0n, max: 1n << 50n }), fc.array(created, { maxLength: 4 }), (queue, firstNumber, tasks) => {
      const event = { queue, firstNumber, tasks };
      const encoded = events.TasksCreated.encode(event).finish();
      const expected = events.TasksCreated.toJSON(events.TasksCreated.decode(encoded));
      const read = tasksCreatedCodec.decode(encoded);
      expect(tasksCreatedCodec.toJSON(read)).toEqual(expected);
      for (const written of [event, read])
        expect(events.TasksCreated.toJSON(events.TasksCreated.decode(tasksCreatedCodec.encode(written).finish()))).toEqual(expected);
    }),
  );
});

test('starts and ends of attempts are read and written as the generated codec does it', () => {
  const start = fc.record({ number: time, attempt: count, type: text, submittedAtUs: time, firstStartedAtUs: time });
  const end = fc.record({
    number: time,
    attempt: count,
    outcome: fc.integer({ min: 0, max: 4 }),
    result: fc.option(fc.record({ body: bytes, contentType: text }), { nil: undefined }),
    failure: fc.option(fc.record({ kind: fc.integer({ min: 0, max: 4 }), limit: fc.integer({ min: 0, max: 4 }), message: text }), { nil: undefined }),
    retryAtUs: time,
    type: text,
    submittedAtUs: time,
    startedAtUs: time,
    workerId: text,
    firstStartedAtUs: time,
    note: text,
    countedUs: time,
  });
  fc.assert(
    fc.property(text, text, fc.boolean(), fc.array(start, { maxLength: 4 }), fc.array(end, { maxLength: 4 }), (queue, workerId, keepsLimits, starts, ends) => {
      const started = events.AttemptsStarted.decode(attemptsStartedCodec.encode({ queue, workerId, keepsLimits, starts }).finish());
      expect(attemptsStartedCodec.toJSON({ queue, workerId, keepsLimits, starts })).toEqual(events.AttemptsStarted.toJSON(started));
      expect(attemptsStartedCodec.decode(events.AttemptsStarted.encode(started).finish())).toEqual({ queue, workerId, keepsLimits, starts });
      const ended = events.AttemptsEnded.decode(attemptsEndedCodec.encode({ queue, ends }).finish());
      expect(attemptsEndedCodec.toJSON({ queue, ends })).toEqual(events.AttemptsEnded.toJSON(ended));
      expect(attemptsEndedCodec.decode(events.AttemptsEnded.encode(ended).finish())).toEqual({ queue, ends });
    }),
  );
});

test('results of a batch are written so that the generated codec reads them', () => {
  const result = fc.oneof(
    fc.nat({ max: 1_000_000 }),
    fc.record({ code: fc.nat({ max: 16 }), reason: text, message: text }).map((error) => ({ task: undefined, error })),
    fc.boolean().map((existing) => ({ task: { taskId: 'q/7', state: 1, version: 1, repeated: !existing, existing }, error: undefined })),
  );
  fc.assert(
    fc.property(fc.constantFrom('q', 'é', 'x'.repeat(96)), fc.array(result, { maxLength: 4 }), text, (queue, results, positionToken) => {
      const writer = new TaskResultsWriter(queue, results.length);
      for (const one of results) {
        if (typeof one === 'number') writer.submitted(one);
        else writer.add(one);
      }
      const encoded = writer.finish(positionToken);
      const expected = CreateTasksResponse.decode(encoded);
      expect(expected.results.map(({ task, error }) => error ?? task)).toEqual(
        results.map((one) =>
          typeof one === 'number' ? { taskId: `${queue}/${one}`, state: 1, version: 1, repeated: false, existing: false } : (one.error ?? one.task),
        ),
      );
      expect(expected.positionToken).toBe(positionToken);
    }),
  );
});

test('what goes to a worker is written so that the generated codec reads it', () => {
  const task = fc.record({ taskId: text, leaseToken: text, attempt: count, spec, timeLeftMs: count, heartbeatEveryMs: count, scheduleId: often('', text) });
  const response = fc
    .record({
      subscribed: fc.boolean(),
      tasks: fc.array(task, { maxLength: 3 }),
      verdicts: fc.array(fc.record({ lease, reason: text }), { maxLength: 3 }),
      heard: fc.array(lease, { maxLength: 2 }),
    })
    .map((fields) => WorkResponse.fromPartial(fields));
  fc.assert(
    fc.property(response, (answered) => {
      const written = writeWorkResponse(answered);
      // gRPC sends nothing else.
      expect(Buffer.isBuffer(written)).toBe(true);
      expect(WorkResponse.decode(written)).toEqual(WorkResponse.decode(WorkResponse.encode(answered).finish()));
    }),
  );
});

test('a plain task goes to its worker as its bytes stand in the log', () => {
  fc.assert(
    fc.property(submission, (task) => {
      const plain = plainOf(task);
      fc.pre(plain !== undefined);
      const assigned = new AssignedPlainTask('q/1', '1.1.1', 1, plain, 5, 9);
      const response = WorkResponse.fromPartial({ subscribed: true });
      const { tasks } = WorkResponse.decode(writeWorkResponse({ ...response, tasks: [assigned] }));
      expect(tasks).toMatchObject([{ taskId: 'q/1', leaseToken: '1.1.1', attempt: 1, spec: task.task, timeLeftMs: 5, heartbeatEveryMs: 9 }]);
    }),
  );
});

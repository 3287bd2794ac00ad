/** Tasks, queues and schedules as users of the library see them. */
export const TASK_STATES = ['SUBMITTED', 'RUNNING', 'SUCCEEDED', 'FAILED', 'CANCELLED'] as const;
export type TaskState = (typeof TASK_STATES)[number];
export type FailureKind = 'HANDLER' | 'PERMANENT' | 'TIME_LIMIT' | 'WORKER_LOST';
export type TimeLimitName = 'SUBMIT_TO_START' | 'START_TO_FINISH' | 'SUBMIT_TO_FINISH' | 'HEARTBEAT';
export type DedupeRule = 'REFUSE' | 'RETURN_EXISTING' | 'REPLACE';
export type OverlapRule = 'SKIP' | 'BUFFER' | 'ALLOW';
export type CatchUpRule = 'NONE' | 'LATEST' | 'ALL';

/** What a task carries: bytes as they are, text as UTF-8, anything else as JSON. */
export type TaskBody = Uint8Array | string | number | boolean | null | readonly unknown[] | { readonly [name: string]: unknown };

/** In milliseconds; absent: none. */
export interface TimeLimits {
  readonly submitToStartMs?: number;
  readonly startToFinishMs?: number;
  readonly submitToFinishMs?: number;
  /** Between two signs of life of the worker, which this library gives by itself. Default 10,000. */
  readonly heartbeatMs?: number;
}

export interface RetryPolicyInput {
  /** Attempts that may fail. Default 3. */
  readonly maximumAttempts?: number;
  /** Default 1,000. */
  readonly firstPauseMs?: number;
  /** By how many percent a pause is longer than the one before. Default 100. */
  readonly growthPercent?: number;
  /** Default 600,000. */
  readonly maximumPauseMs?: number;
  /** A pause is shortened by up to so many percent. Default 0. */
  readonly jitterPercent?: number;
  /** Whether an attempt that its start-to-finish limit ended is tried again, too. Default false. */
  readonly retryTimeLimit?: boolean;
}

export interface TaskInput {
  /** Made when not given; the same id is never done twice. */
  readonly requestId?: string;
  /** Names the handler. */
  readonly type: string;
  readonly payload?: TaskBody;
  readonly contentType?: string;
  /** A task of a higher one is started first. */
  readonly priority?: number;
  /** Tasks of a queue with the same key run one after the other. */
  readonly key?: string;
  readonly delayMs?: number;
  readonly startAt?: Date;
  readonly limits?: TimeLimits;
  readonly retry?: RetryPolicyInput;
  readonly dedupeKey?: string;
  readonly dedupeRule?: DedupeRule;
  readonly labels?: Readonly<Record<string, string>>;
  readonly parentTaskId?: string;
}

/** A task right after a command. */
export interface TaskReceipt {
  /** "<queue>/<number>". */
  readonly taskId: string;
  readonly state: TaskState;
  readonly version: number;
  /** This request was answered before. */
  readonly repeated: boolean;
  /** The submission met a task with the same dedupe key, and this is that one. */
  readonly existing: boolean;
}

export interface TaskFailure {
  readonly kind: FailureKind;
  /** Of kind TIME_LIMIT and WORKER_LOST. */
  readonly limit: TimeLimitName | undefined;
  readonly message: string;
}

export interface TaskProgress {
  readonly done: number;
  /** 0: not known. */
  readonly total: number;
  readonly text: string;
}

export interface TaskAttempt {
  readonly number: number;
  readonly workerId: string;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly failure: TaskFailure | undefined;
  readonly retryAt: Date | undefined;
}

export interface Task {
  readonly taskId: string;
  readonly queue: string;
  readonly type: string;
  readonly state: TaskState;
  readonly version: number;
  readonly priority: number;
  readonly key: string;
  readonly payload: Uint8Array;
  readonly contentType: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly parentTaskId: string;
  readonly submittedAt: Date | undefined;
  readonly startAt: Date | undefined;
  readonly startedAt: Date | undefined;
  readonly endedAt: Date | undefined;
  readonly attemptCount: number;
  readonly attempts: readonly TaskAttempt[];
  readonly result: { readonly body: Uint8Array; readonly contentType: string } | undefined;
  readonly failure: TaskFailure | undefined;
  readonly progress: TaskProgress | undefined;
  readonly retryOf: string;
  readonly scheduleId: string;
  readonly note: string;
}

export interface TaskFilter {
  readonly queue?: string;
  readonly state?: TaskState;
  readonly type?: string;
  readonly label?: { readonly name: string; readonly value: string };
  readonly submittedFrom?: Date;
  readonly submittedBefore?: Date;
  /** Default false: the oldest first. */
  readonly newestFirst?: boolean;
  readonly parentTaskId?: string;
}

export interface TaskCounts {
  readonly submitted: number;
  readonly running: number;
  readonly succeeded: number;
  readonly failed: number;
  readonly cancelled: number;
}

export interface RateLimit {
  readonly maximumStarts: number;
  readonly windowMs: number;
}

export interface QueueLimits {
  /** Absent: no limit. */
  readonly maximumRunning?: number;
  readonly rate?: RateLimit;
  readonly types?: Readonly<Record<string, { readonly maximumRunning?: number; readonly rate?: RateLimit }>>;
  /** Default 1. */
  readonly maximumRunningPerKey?: number;
  readonly ratePerKey?: RateLimit;
}

export interface QueueStats {
  readonly queue: string;
  readonly paused: boolean;
  /** Those that were set; undefined: none was ever set. */
  readonly limits: QueueLimits | undefined;
  readonly counts: TaskCounts;
  readonly types: readonly { readonly type: string; readonly counts: TaskCounts; readonly lastStartedAt: Date | undefined }[];
  readonly oldestSubmittedAt: Date | undefined;
  /** Types with tasks that wait and of which none was ever started. */
  readonly typesNeverStarted: readonly string[];
}

export interface ScheduleInput {
  readonly requestId?: string;
  readonly queue: string;
  readonly name: string;
  /** Five or six fields; or `intervalMs`. */
  readonly cron?: string;
  readonly intervalMs?: number;
  /** IANA name. Default UTC. */
  readonly timeZone?: string;
  /** Default SKIP. */
  readonly overlap?: OverlapRule;
  /** Default LATEST. */
  readonly catchUp?: CatchUpRule;
  readonly task: Omit<TaskInput, 'requestId' | 'startAt'>;
  readonly beginAt?: Date;
  readonly endAt?: Date;
}

export interface Schedule {
  readonly scheduleId: string;
  readonly queue: string;
  readonly name: string;
  readonly cron: string;
  readonly intervalMs: number;
  readonly timeZone: string;
  readonly type: string;
  readonly paused: boolean;
  readonly nextRuns: readonly Date[];
  readonly runCount: number;
  readonly skippedCount: number;
  readonly lastTaskId: string;
  readonly lastRunAt: Date | undefined;
}

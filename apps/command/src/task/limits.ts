/** Bounds of tasks. */
export const MAXIMUM_ID_BYTES = 128;
export const MAXIMUM_PAYLOAD_BYTES = 256 * 1_024;
export const MAXIMUM_NOTE_BYTES = 256;
export const MAXIMUM_MESSAGE_BYTES = 4_096;
export const MAXIMUM_PRIORITY = 1_000_000;
export const MAXIMUM_LABELS = 8;
export const MAXIMUM_LABEL_BYTES = 64;
export const MAXIMUM_BATCH_TASKS = 10_000;
export const MAXIMUM_TYPE_LIMITS = 1_000;
export const MAXIMUM_RATE_STARTS = 10_000;
export const MAXIMUM_RATE_WINDOW_MS = 86_400_000;
export const MAXIMUM_ATTEMPTS = 1_000;
export const MINIMUM_HEARTBEAT_MS = 100;
export const MAXIMUM_SCHEDULES = 1_000;
/** No start and no run is later, in June of 2255: times are numbers of microseconds, which are exact up to here. */
export const LATEST_START_US = Number.MAX_SAFE_INTEGER;
export const MAXIMUM_CRON_BYTES = 128;
export const MAXIMUM_TIME_ZONE_BYTES = 64;
export const MINIMUM_INTERVAL_MS = 1_000;
/** Runs of a schedule that are known ahead. */
export const NEXT_RUNS = 10;
/** Tasks that one turn ends because something is due, or because of a purge. */
export const ENDINGS_PER_TICK = 2_000;
/** What is due that one turn looks at in a queue. */
export const DUE_STEPS_PER_TICK = 10_000;
/** Times of runs that are computed for the schedules of a queue in one turn, a catch-up more at most. */
export const RUNS_PER_TICK = 500;
/** Progress of a task is recorded at most so often. */
export const PROGRESS_EVERY_US = 250_000;
/** Tasks that are handed out at once. */
export const MAXIMUM_TAKE = 1_000;
/** Attempts that a turn starts for workers that wait, beside what was submitted to it. */
export const OFFERED_TASKS = 256;
/** A commit that has so much already starts none for them: a log takes no larger one than it says. */
export const FULL_COMMIT_BYTES = 1 << 20;
/** Signs of life and reports of one message of a worker. */
export const MAXIMUM_REPORT_PARTS = 20_000;
export const MAXIMUM_CAPACITY = 10_000;
export const MAXIMUM_QUEUES_PER_WORKER = 100;
export const MAXIMUM_TYPES_PER_WORKER = 1_000;
/** What one turn records at most because something is due. */
export const TICK_BYTES = 4 << 20;
/** Leases that an instance names to an owner whose stops it watches; holders of further ones hear of a stop by their next heartbeat. */
export const MAXIMUM_HELD_NAMED = 20_000;

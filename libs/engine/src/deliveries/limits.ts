/** Bounds of deliveries, in one place. */

/** Commands of one batch. Its bytes are a limit of the partition; a single larger command travels alone. */
export const BATCH_COMMANDS = 1_000;
/** One event of owed deliveries is closed beyond these; a batch carries whole events. */
export const PART_COMMANDS = BATCH_COMMANDS;
/** Four events fill a batch. */
export const PARTS_PER_BATCH = 4;
/** The payload of one delivery. */
export const MAXIMUM_DELIVERY_BYTES = 512 << 10;
/** Bodies of outstanding deliveries that a partition holds in memory, of all targets together. */
export const WINDOW_BYTES = 16 << 20;
/** Batches to one target that are not answered. */
export const BATCHES_IN_FLIGHT = 4;
/** Batches to one target that are answered and whose verdicts are not yet durable at the source. */
export const BATCHES_TO_SETTLE = 8;
/** Pause after the first failure, and the longest one; doubled in between. */
export const FIRST_PAUSE_MS = 50;
export const LONGEST_PAUSE_MS = 5_000;

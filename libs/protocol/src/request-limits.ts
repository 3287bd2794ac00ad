/** What requests of every capability are held to. */

/** Bytes of UTF-8 of a request id, a key, or another id. */
export const MAXIMUM_ID_BYTES = 128;
/** Bytes of UTF-8 of a unit of money. */
export const MAXIMUM_UNIT_BYTES = 16;
/** Items of one request. */
export const MAXIMUM_BATCH_ITEMS = 10_000;

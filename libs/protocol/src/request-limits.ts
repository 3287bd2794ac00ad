/** What requests of every capability are held to. */

/** Bytes of UTF-8 of a request id, a key, or another id. */
export const MAXIMUM_ID_BYTES = 128;
/** Items of one request. */
export const MAXIMUM_BATCH_ITEMS = 10_000;

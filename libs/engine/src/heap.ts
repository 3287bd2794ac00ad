/**
 * The engine's live heap is small and its buffers (requests, commits, answers) are large and short-lived. V8 counts them and would mark the whole heap
 * several times a second, on threads that the turns need. A heap that may grow to four times its live size before it is marked costs memory and saves
 * about a sixth of the processor time of a busy partition (docs/performance.md).
 */
import { setFlagsFromString } from 'node:v8';

const HEAP_GROWING_PERCENT = 300;

/** For the whole process, its threads included. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}

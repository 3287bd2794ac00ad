/**
 * What the engine asks of V8's heap.
 *
 * The engine's live heap is small and its buffers (requests, commits, answers) are large and short-lived. V8 counts them and would mark the whole heap
 * several times a second, on threads that the turns need. A heap that may grow to four times its live size before it is marked costs memory and saves
 * about a sixth of the processor time of a busy partition (docs/performance.md).
 */
import { getHeapStatistics, setFlagsFromString } from 'node:v8';

const HEAP_GROWING_PERCENT = 300;
/** Share of the heap's limit, and of the memory that the container may have, above which memory is short. */
const SHORT_SHARE = 0.85;

/** For the whole process, its threads included. */
export function letHeapGrow(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWING_PERCENT}`);
}

/** Whether what need not be in memory should not be loaded now. */
export function memoryIsShort(): boolean {
  const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
  if (used > limit * SHORT_SHARE) return true;
  // Undefined or 0: the process may have what the machine has.
  const allowed = process.constrainedMemory();
  return allowed !== undefined && allowed > 0 && process.memoryUsage.rss() > allowed * SHORT_SHARE;
}

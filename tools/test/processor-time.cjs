/**
 * Processor time, which says what a test costs whatever else the machine does meanwhile. Of child processes it counts those that have ended. Only Linux
 * tells it of children; elsewhere nothing is said of them.
 */
const { readFileSync } = require('node:fs');

/** Linux counts in hundredths of a second. */
const TICKS_PER_SECOND = 100;
/** Fields of /proc/self/stat behind the name of the program, which may have blanks in it. */
const [CHILDREN_USER, CHILDREN_SYSTEM] = [13, 14];

/** Seconds so far of this process. */
function ownSeconds() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

/** Seconds so far of its children and theirs. */
function childrenSeconds() {
  let stat;
  try {
    stat = readFileSync('/proc/self/stat', 'latin1');
  } catch {
    return 0;
  }
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[CHILDREN_USER]) + Number(fields[CHILDREN_SYSTEM])) / TICKS_PER_SECOND;
}

let countedSeconds = 0;

/** Seconds of the child that has just ended, and of its own: what came since the last call, which therefore belongs to the end of every child. */
function endedChildSeconds() {
  const before = countedSeconds;
  countedSeconds = childrenSeconds();
  return countedSeconds - before;
}

module.exports = { ownSeconds, childrenSeconds, endedChildSeconds };

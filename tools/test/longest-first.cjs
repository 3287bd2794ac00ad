/**
 * The order of the test files: those that take longest begin first, so that no worker waits for another at the end. jest knows how long a file took
 * only where it has run before, which is never so on a clean clone.
 */
const Sequencer = require('@jest/test-sequencer').default;

const LONGEST = [
  'tools/bench/src/scenarios.e2e.ts',
  'apps/sluice/src/serve/serve.e2e.ts',
  'test/deploy/src/command-lines.e2e.ts',
  'apps/sluice/src/replay/replay.e2e.ts',
  'test/e2e/src/capability/added-capability.e2e.ts',
  'test/simulation/',
  'libs/process/src/lease-thread/lease-thread.int.ts',
  'libs/bus-nats/src/nats-lease-table.int.ts',
  'apps/query/src/query.int.ts',
  'libs/store-mongo/src/mongo-read-store.int.ts',
];

module.exports = class LongestFirst extends Sequencer {
  sort(tests) {
    const rank = ({ path }) => {
      const at = LONGEST.findIndex((part) => path.includes(part));
      return at === -1 ? LONGEST.length : at;
    };
    return super.sort(tests).sort((left, right) => rank(left) - rank(right));
  }
};

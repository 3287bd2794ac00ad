#!/usr/bin/env node
/**
 * The program of the container image. Its first argument says what it is:
 *
 *   sluice serve                                    all services in one process (the embedded server)
 *   sluice command | query | projector | scheduler  one service as a process of its own
 *   sluice health [SERVICE] [--alive]               asks the process of this container for its health
 *   sluice account | log | verify | status | …      the command line
 *
 * Everything runs in this very process, so that signals reach the service and its exit code is the container's.
 */
import { createRequire } from 'node:module';

const SERVICES = ['command', 'query', 'projector', 'scheduler'];

const require = createRequire(import.meta.url);
const [node, launcher, word, ...rest] = process.argv;

if (SERVICES.includes(word)) {
  // A service is configured by its environment alone: an option that it would not read is an error.
  if (rest.length > 0) {
    console.error(`sluice ${word} takes no arguments, not ${rest.join(' ')}: settings are SLUICE_ variables (docs/configuration.md)`);
    process.exit(2);
  }
  keepSignals();
  require(`../apps/${word}/dist/main.js`);
} else if (word === 'health') {
  process.argv = [node, launcher, ...rest];
  require('../libs/service/dist/health-probe/main.js');
} else {
  keepSignals();
  require('../apps/sluice/dist/main.js');
}

/** The kernel drops a signal for process 1 that has no handler: one that comes while modules are loading must wait for theirs. */
function keepSignals() {
  for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, () => undefined);
}

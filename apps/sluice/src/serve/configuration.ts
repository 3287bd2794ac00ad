/**
 * The configuration of an embedded server, with the command line's words before everything else. Commands that start a
 * server of their own do not inherit where the command line calls.
 */
import { type Configuration, loadConfiguration } from '@sluice/service';

/** Throws ConfigurationError, which names every wrong key. */
export function configurationFor(environment: NodeJS.ProcessEnv, overrides: Partial<Configuration> = {}): Configuration {
  return loadConfiguration(environment, overrides);
}

/**
 * The configuration of an embedded server, with the command line's words before everything else. Commands that start a
 * server of their own do not inherit where the command line calls.
 */
import { type Configuration, loadConfiguration } from '@sluice/service';

/**
 * Throws ConfigurationError, which names every wrong key. Where nobody said how much to log, only what goes wrong is logged:
 * somebody looks at this terminal.
 */
export function configurationFor(environment: NodeJS.ProcessEnv, overrides: Partial<Configuration> = {}): Configuration {
  const saysHowMuch = [environment['SLUICE_LOG_LEVEL'], environment['SLUICE_CONFIG']].some((variable) => variable !== undefined && variable !== '');
  return loadConfiguration(environment, saysHowMuch ? overrides : { logLevel: 'warn', ...overrides });
}

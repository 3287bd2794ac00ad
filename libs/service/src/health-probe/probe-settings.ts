/**
 * The settings of a process that a probe beside it needs, from the same environment and file. They are not checked, because that
 * process has checked them, and loading what checks them would cost several times what the probe itself does.
 */
import { readFileSync } from 'node:fs';
import { UnusableFileError } from '../security/unusable-file-error';

export interface ProbeSettings {
  /** Undefined: the default. */
  readonly host: string | undefined;
  /** Undefined: that of the service. */
  readonly port: string | undefined;
  readonly tlsCert: string | undefined;
  readonly tlsKey: string | undefined;
  readonly tlsCa: string | undefined;
}

/** Throws UnusableFileError. */
export function probeSettings(environment: Readonly<Record<string, string | undefined>>): ProbeSettings {
  const file = readFile(environment['SLUICE_CONFIG']);
  const setting = (variable: string, key: keyof ProbeSettings): string | undefined => {
    const given = environment[variable];
    const value = given !== undefined && given !== '' ? given : file[key];
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  return {
    host: setting('SLUICE_HOST', 'host'),
    port: setting('SLUICE_PORT', 'port'),
    tlsCert: setting('SLUICE_TLS_CERT', 'tlsCert'),
    tlsKey: setting('SLUICE_TLS_KEY', 'tlsKey'),
    tlsCa: setting('SLUICE_TLS_CA', 'tlsCa'),
  };
}

function readFile(path: string | undefined): Partial<Record<keyof ProbeSettings, unknown>> {
  if (path === undefined || path === '') return {};
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as Partial<Record<keyof ProbeSettings, unknown>>;
  } catch {
    // What JSON.parse says quotes the file, which may hold secrets.
    throw new UnusableFileError(`SLUICE_CONFIG: ${path} cannot be read, or is not JSON`);
  }
}

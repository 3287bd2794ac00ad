/** A container, whichever file describes it. */
export interface Container {
  readonly name: string;
  readonly image: string;
  /** What follows the image's entry point. */
  readonly args: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** Variables whose value, or a part of it, comes from where secrets are kept. */
  readonly secretVariables: readonly string[];
  /** Command lines that are run in the container to see how it is, by what they are for. */
  readonly probes: Readonly<Record<string, readonly string[]>>;
  /** Folders and files that are mounted. */
  readonly mounts: readonly string[];
  /** How long it may take to stop, in seconds; undefined: the runtime's default. */
  readonly stopSeconds: number | undefined;
}

export const OUR_IMAGE = 'sluice';

/** Stands for every secret that is asked for, by its name. Valid where a setting wants 16 characters or more. */
export function secretFor(name: string): string {
  return `secret-of-${name.toLowerCase().replaceAll('_', '-')}`;
}

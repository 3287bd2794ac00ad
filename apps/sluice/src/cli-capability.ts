/** What a capability gives to the command line: its commands. */
import type { Command } from 'commander';
import type { Surroundings } from './connection';

export interface CliCapability {
  /** "account". */
  readonly name: string;
  addCommands(program: Command, surroundings: Surroundings): void;
}

/** For commands that hand their arguments on to a program with options of its own. */
import type { Command } from 'commander';

/** Everything after the command's name, as it was written: options of the program may look like options of ours. */
export function argumentsAfter(command: Command): string[] {
  let root: Command = command;
  while (root.parent !== null) root = root.parent;
  const written = (root as Command & { rawArgs: string[] }).rawArgs;
  return written.slice(written.indexOf(command.name()) + 1);
}

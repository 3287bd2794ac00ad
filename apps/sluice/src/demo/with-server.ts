/** A demo runs with the server that is there, or with one of its own. */
import { type ConnectionOptions, type Surroundings, targetOf } from '../connection';
import type { ExitCode } from '../exit-code';
import { Output } from '../output';
import { configurationFor } from '../serve/configuration';
import { isServing } from '../serve/probe';

export async function withServer<Options extends ConnectionOptions>(
  options: Options,
  surroundings: Surroundings,
  run: (target: string, options: Options, output: Output) => Promise<ExitCode>,
): Promise<void> {
  const output = new Output(surroundings.terminal, options.json === true);
  const target = targetOf(options, surroundings.environment);
  if (await isServing(target)) {
    output.message(`with the server on ${target}`);
    surroundings.exit(await run(target, options, output));
    return;
  }
  const { startEmbedded } = await import('../serve/embedded.js');
  const server = await startEmbedded(configurationFor(surroundings.environment));
  output.message(`with a server of its own on ${server.address}, data in ${server.folder}`);
  try {
    surroundings.exit(await run(server.address, options, output));
  } finally {
    await server.stop();
  }
}

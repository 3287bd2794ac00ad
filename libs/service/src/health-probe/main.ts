/** `sluice health` as a program of its own: probes run it every few seconds, and the whole command line takes five times as long to load. */
import { runHealthProbe } from './probe-program';

const write = (stream: NodeJS.WriteStream) => (line: string) => {
  stream.write(`${line}\n`);
};

void runHealthProbe(process.argv.slice(2), process.env, { result: write(process.stdout), problem: write(process.stderr) }).then((exitCode) => {
  process.exitCode = exitCode;
});

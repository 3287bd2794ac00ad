/** `npm run trace`: one posting through every service, printed as the tree of its spans. Exit code 1: the trace is not whole. */
import { traceOnePosting } from './trace-one-posting';
import { traceTree } from './trace-tree';

async function main(): Promise<void> {
  const { traceId, spans, servers } = await traceOnePosting({ progress: (line) => process.stderr.write(`${line}\n`) });
  const services = [...new Set(spans.map(({ service }) => service))].sort();
  process.stdout.write(`trace ${traceId}\nservices ${services.join(', ')}\nservers ${servers}\n\n`);
  process.stdout.write(`begin ms  took ms\n${traceTree(spans).join('\n')}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
});

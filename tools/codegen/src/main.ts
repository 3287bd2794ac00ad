/**
 * npm run codegen              lint the protos, make what is made from them and from the capabilities' folders
 * npm run codegen -- --check   the same, but only say what is stale; exit 1 if anything is
 * npm run protos:breaking      exit 1 if the protos break what the baseline promises
 * npm run protos:baseline      promise the protos as they are now
 */
import { applyDifferences, compareArtifacts, committedArtifacts, makeArtifacts } from './artifacts';
import { BASELINE_FILE, checkBreaking, updateBaseline } from './baseline';
import { buf, BufError } from './buf';

const USAGE = 'usage: codegen [--check | --breaking | --baseline]';

function run(args: readonly string[]): number {
  const [mode = '--write', ...rest] = args;
  if (rest.length > 0) return refuse(USAGE);
  switch (mode) {
    case '--write':
      return write();
    case '--check':
      return check();
    case '--breaking':
      checkBreaking();
      console.log('The protos keep what the baseline promises.');
      return 0;
    case '--baseline':
      updateBaseline();
      console.log(`${BASELINE_FILE} now promises the protos as they are. Commit it and say what breaks.`);
      return 0;
    default:
      return refuse(USAGE);
  }
}

function write(): number {
  buf('lint');
  const made = makeArtifacts();
  const differences = compareArtifacts(made, committedArtifacts());
  applyDifferences(made, differences);
  for (const { path, kind } of differences) console.log(`${kind === 'left over' ? 'removed' : 'wrote'} ${path}`);
  console.log(differences.length === 0 ? `${made.size} files are up to date.` : `${differences.length} of ${made.size} files written.`);
  return 0;
}

function check(): number {
  buf('lint');
  const differences = compareArtifacts(makeArtifacts(), committedArtifacts());
  for (const { path, kind } of differences) console.error(`${kind}: ${path}`);
  if (differences.length > 0) return refuse('What is generated is stale: run "npm run codegen" and commit the result.');
  console.log('What is generated is up to date.');
  return 0;
}

function refuse(message: string): number {
  console.error(message);
  return 1;
}

try {
  process.exitCode = run(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof BufError)) throw error;
  process.exitCode = refuse(error.message);
}

import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

const CLI = join(__dirname, '../dist/cli.js');
/** What only those need that run services or open their files. */
const OF_SERVICES =
  /[/\\](apps[/\\](command|projector|query|scheduler)|libs[/\\](engine|leases|store-sqlite|store-mongo|bus-nats)|node_modules[/\\](libsql|mongodb))[/\\]/;

test('a command that calls a server loads nothing of what services consist of', () => {
  const program = `require(${JSON.stringify(CLI)}); console.log(JSON.stringify(Object.keys(require.cache)))`;
  const loaded = JSON.parse(execFileSync(process.execPath, ['-e', program], { encoding: 'utf8' })) as string[];
  expect(loaded.length).toBeGreaterThan(100);
  expect(loaded.filter((file) => OF_SERVICES.test(file))).toEqual([]);
});

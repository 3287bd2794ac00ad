/**
 * The command line: which commands there are, and how a run of one ends. What is wrong is said in one plain line on the
 * standard error output; the exit code says which kind of wrong it was.
 */
import { SluiceError } from '@sluice/client';
import { Command, CommanderError } from 'commander';
import { addBenchCommand } from './bench/bench-command';
import { CLI_CAPABILITIES } from './capabilities.generated';
import { addConnectionOptions, type Surroundings } from './connection';
import { addDemoCommand } from './demo/demo-command';
import { EXIT, EXIT_CODES_HELP, type ExitCode, exitCodeOf, UsageError } from './exit-code';
import { addHealthCommand } from './health/health-command';
import { addLogCommand } from './log/log-command';
import { addConfigCommand } from './partitions/config-command';
import { addRebuildCommand } from './projection/rebuild';
import { addStatusCommand } from './projection/status';
import { addVerifyCommand } from './projection/verify';
import { addReplayCommand } from './replay/replay-command';
import { addTimersCommand } from './scheduler/timers';
import { addUnfinishedCommand } from './scheduler/unfinished';
import { addServeCommand } from './serve/serve-command';
import { shownText } from './shown-text';
import { VERSION } from './version';

export function buildProgram(surroundings: Surroundings): Command {
  const program = new Command('sluice');
  program.description('Sluice: an event-sourced account engine').version(VERSION);
  addConnectionOptions(program);
  addServeCommand(program, surroundings);
  for (const capability of CLI_CAPABILITIES) capability.addCommands(program, surroundings);
  addLogCommand(program, surroundings);
  addVerifyCommand(program, surroundings);
  addRebuildCommand(program, surroundings);
  addStatusCommand(program, surroundings);
  addTimersCommand(program, surroundings);
  addUnfinishedCommand(program, surroundings);
  addHealthCommand(program, surroundings);
  addConfigCommand(program, surroundings);
  addReplayCommand(program, surroundings);
  addBenchCommand(program, surroundings);
  addDemoCommand(program, surroundings);
  program.addHelpText(
    'after',
    `
Examples:
  sluice serve
  sluice account open wallet-1 EUR
  sluice account post wallet-1 CREDIT 2500 EUR
  sluice account get wallet-1
  sluice verify
${EXIT_CODES_HELP}`,
  );
  return program;
}

/** Runs one command line; resolves with its exit code, never rejects. */
export async function runCli(argv: readonly string[], world: Omit<Surroundings, 'exit'>): Promise<ExitCode> {
  let exitCode: ExitCode = EXIT.done;
  const { results, messages } = world.terminal;
  const program = buildProgram({
    ...world,
    exit: (code) => {
      exitCode = code;
    },
  });
  configure(program, world);
  try {
    await program.parseAsync([...argv], { from: 'user' });
    return exitCode;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    messages.write(`${program.opts<{ readonly json?: boolean }>().json === true ? asJson(error) : describe(error)}\n`);
    return exitCodeOf(error);
  }

  function configure(command: Command, { terminal }: Omit<Surroundings, 'exit'>): void {
    command.exitOverride().showHelpAfterError('(--help shows how)');
    command.configureOutput({
      writeOut: (text) => results.write(text),
      writeErr: (text) => messages.write(text),
      getOutHelpWidth: () => terminal.results.columns ?? 100,
    });
    for (const child of command.commands) configure(child, { ...world, terminal });
  }
}

/** The same for machines. */
function asJson(error: unknown): string {
  if (!(error instanceof SluiceError)) return JSON.stringify({ error: { message: error instanceof Error ? error.message : String(error) } });
  const { code, reason, message, metadata, requestId, verdict } = error;
  const refusedAt = verdict && { balanceMinor: String(verdict.balanceMinor), heldMinor: String(verdict.heldMinor), repeated: verdict.repeated };
  return JSON.stringify({ error: { code, reason, message, metadata, requestId, verdict: refusedAt } });
}

/** The balance at which a posting was refused. */
function refusedAt({ verdict }: SluiceError): string {
  if (verdict === undefined) return '';
  return ` (balance ${verdict.balanceMinor}, held ${verdict.heldMinor}${verdict.repeated ? '; this is the first answer again' : ''})`;
}

/** One plain line; a stack only for what nobody foresaw, and only when asked for. */
function describe(error: unknown): string {
  if (error instanceof SluiceError) {
    if (error.message.startsWith('No connection established'))
      return `sluice: UNAVAILABLE: no server answers (${error.message.replace(/^.*Last error: (?:Error: )?|\. Resolution note:.*$/gs, '')}); npm start starts one`;
    const reason = error.reason === '' ? '' : ` (${error.reason})`;
    const again =
      error.requestId !== undefined && exitCodeOf(error) === EXIT.unavailable
        ? `; the outcome may be unknown: run again with --request-id ${error.requestId}`
        : '';
    return `sluice: ${error.code}${reason}: ${shownText(error.message)}${refusedAt(error)}${again}`;
  }
  if (error instanceof UsageError) return `sluice: ${error.message}`;
  if (process.env['SLUICE_TEST_STACKS'] !== undefined && error instanceof Error) return `sluice: ${error.stack}`;
  return `sluice: ${error instanceof Error ? error.message : String(error)}`;
}

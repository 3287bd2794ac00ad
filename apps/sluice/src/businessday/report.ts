/** `sluice day report | trial-balance | verify | export` */
import { type DayReport, EXPORT_FORMATS, type ExportFormat, type SluiceClient } from '@sluice/client';
import { type Command, Option } from 'commander';
import { calendarDate } from '../argument';
import { type Surroundings, withClient } from '../connection';
import { EXIT, PlainFailure } from '../exit-code';
import type { Output } from '../output';
import { showSetAside, STEP_COLUMNS } from './day-view';
import { PROOF_COLUMNS, PROOF_FAILURE_COLUMNS, proofPairs, reportPairs, showTrialBalance } from './report-view';

/** For a proof: all of the log is read. */
const PROOF_MS = 600_000;

export function addReportCommands(day: Command, surroundings: Surroundings): void {
  ofDate(day, 'report', 'show what an end of day did, and its trial balance')
    .addHelpText('after', '\nExamples:\n  sluice day report prague\n  sluice day report prague 2026-11-27 --json')
    .action((branchId: string, date: string | undefined, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) =>
        showReport(output, await client.businessDays.report(branchId, date ?? (await lastClosedDate(client, branchId)))),
      ),
    );
  ofDate(day, 'trial-balance', 'show balances by product and postings by contra line; the exit code is 1 if they do not balance')
    .addHelpText('after', '\nExample:\n  sluice day trial-balance prague 2026-11-27')
    .action((branchId: string, date: string | undefined, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const found = await client.businessDays.trialBalance(branchId, date ?? (await lastClosedDate(client, branchId)));
        if (output.json) output.object(found);
        else showTrialBalance(output, found);
        return found.balanced ? EXIT.done : EXIT.refused;
      }),
    );
  ofDate(day, 'verify', 'prove a date from the log, account by account: closing balance of the date before + postings = closing balance')
    .addHelpText('after', '\nThe exit code is 1 if the proof of an account fails.\n\nExample:\n  sluice day verify prague 2026-11-27')
    .action((branchId: string, date: string | undefined, _options: unknown, command: Command) =>
      withClient(command, surroundings, async (client, output, { deadline = PROOF_MS }) => {
        const proven = date ?? (await lastClosedDate(client, branchId));
        const proof = await client.businessDays.verify(branchId, proven, { deadlineMs: deadline });
        output.thing({ branchId, date: proven, ...proof }, proofPairs(branchId, proven, proof));
        if (!output.json) {
          output.line('');
          output.table(proof.sums, PROOF_COLUMNS);
          if (proof.failures.length > 0) {
            output.line('');
            output.table(proof.failures, PROOF_FAILURE_COLUMNS);
          }
        }
        return proof.failureCount === 0 ? EXIT.done : EXIT.refused;
      }),
    );
  ofDate(day, 'export', 'write the closing balances of a date, account by account')
    .addOption(new Option('--format <format>', 'CSV with a head line, or a JSON object a line (default CSV; with --json JSON_LINES)').choices(EXPORT_FORMATS))
    .addHelpText('after', '\nExample:\n  sluice day export prague 2026-11-27 > closing-balances.csv')
    .action((branchId: string, date: string | undefined, options: { readonly format?: ExportFormat }, command: Command) =>
      withClient(command, surroundings, async (client, output) => {
        const { format = output.json ? 'JSON_LINES' : 'CSV' } = options;
        const { interrupted: signal, terminal } = surroundings;
        const exported = date ?? (await lastClosedDate(client, branchId));
        for await (const piece of client.businessDays.exportReport(branchId, exported, { format, signal })) terminal.results.write(piece);
        if (signal.aborted) throw new PlainFailure('the export is not whole', EXIT.unavailable);
      }),
    );
}

function ofDate(day: Command, name: string, description: string): Command {
  return day.command(name).description(description).argument('<branch>').argument('[date]', 'a date that is closed (default: the last one)', calendarDate);
}

/** The date that was closed by the run that moved the batch date last. */
async function lastClosedDate(client: SluiceClient, branchId: string): Promise<string> {
  const { batchRunId } = await client.businessDays.get(branchId);
  if (batchRunId !== '') return (await client.businessDays.getRun(batchRunId)).date;
  throw new PlainFailure(`no end of day of ${branchId} has closed a date yet, or dates were set by hand since; name a date`, EXIT.refused);
}

function showReport(output: Output, report: DayReport): void {
  output.thing(report, reportPairs(report));
  if (output.json) return;
  output.line('');
  output.table(report.run.steps, STEP_COLUMNS);
  showSetAside(output, report.run);
  output.line('');
  showTrialBalance(output, report.trialBalance);
}

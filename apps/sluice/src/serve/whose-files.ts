/**
 * Whether the files of a data folder belong together. The log is the truth, so a log that is missing must not be taken for a new one: the
 * read store would be thrown away to match it, and with it the last copy of what was in the log. Only a person may say that the log is lost.
 */
import { basename } from 'node:path';
import { type DataFolderSurvey, surveyDataFolder } from '@sluice/store-sqlite';
import type { DataFiles } from '../data-folder';
import { EXIT, PlainFailure } from '../exit-code';

/**
 * Incarnations of lost logs whose place the log takes; none in a folder whose files belong together. Throws a PlainFailure where they do not.
 * @param newLog a person said that the log is lost, and that a new one is to be begun.
 */
export function lostIncarnations(files: DataFiles, newLog: boolean): readonly string[] {
  const survey = surveyDataFolder(files);
  const { log } = survey;
  if (newLog && log?.hasCommits === true) {
    throw new PlainFailure(
      `${files.log} is there and has commits: --new-log is for a folder whose log is lost; for an empty bank choose another folder (--data)`,
      EXIT.configuration,
    );
  }
  if (log?.hasCommits === true) {
    assertReadStoreOf(log, survey, files);
    return [];
  }
  const others = log !== undefined && log.formerIncarnations.length > 0 ? [] : left(survey, files);
  if (others.length === 0) return [];
  if (newLog) return survey.readStoreOf;
  throw new PlainFailure(
    `the event log is missing: ${files.folder} has ${others.join(', ')}, but ${log === undefined ? `no ${basename(files.log)}` : `${basename(files.log)} has no commit`}. ` +
      `Nothing was changed. Put ${basename(files.log)} back (a mount that failed, a backup) and start again; ` +
      'only if it is lost for good begin anew with "sluice serve --new-log", which starts with no accounts and makes the other files anew',
    EXIT.configuration,
  );
}

function assertReadStoreOf(log: NonNullable<DataFolderSurvey['log']>, { readStoreOf }: DataFolderSurvey, files: DataFiles): void {
  const known = new Set([log.incarnation, ...log.formerIncarnations]);
  const foreign = readStoreOf.find((incarnation) => !known.has(incarnation));
  if (foreign === undefined) return;
  throw new PlainFailure(
    `${files.read} was made from another log (${foreign}) than ${files.log} (${log.incarnation}). Nothing was changed. ` +
      `Put the ${basename(files.log)} back that belongs to it, or move ${basename(files.read)} and ${basename(files.snapshots)} away: they are made anew from the log`,
    EXIT.configuration,
  );
}

/** Files that show that there was a log. */
function left({ readStoreOf, hasSnapshots, signingKeys }: DataFolderSurvey, files: DataFiles): string[] {
  return [
    ...(readStoreOf.length > 0 ? [`${basename(files.read)} (rows made from a log)`] : []),
    ...(hasSnapshots ? [basename(files.snapshots)] : []),
    ...(signingKeys > 0 ? [`${basename(files.keyring)} (${signingKeys} signing ${signingKeys === 1 ? 'key' : 'keys'})`] : []),
  ];
}

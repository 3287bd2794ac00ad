/** The options of `sluice day register | update`: calendar, policy and jobs of a branch. */
import { type BranchSettingsInput, CONTRA_LINES, type ContraLine, DAY_JOBS, type DayJob, ROLL_POLICIES, type RollPolicy } from '@sluice/client';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { calendarDate, listOf, wholeNumber } from '../argument';

export interface SettingsOptions {
  readonly timeZone?: string;
  readonly restDays?: readonly Weekday[];
  readonly holidays?: readonly string[];
  readonly cut?: number;
  readonly automatic?: boolean;
  readonly rollPolicy?: RollPolicy;
  readonly stageOneJobs?: readonly DayJob[];
  readonly jobs?: readonly DayJob[];
  readonly wait?: number;
  readonly stepAccounts?: number;
  readonly lineName?: Readonly<Partial<Record<ContraLine, string>>>;
}

/** In the order of their numbers, from 1. */
export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'] as const;
type Weekday = (typeof WEEKDAYS)[number];

const MINUTES_OF_HOUR = 60;
const HOURS_OF_DAY = 24;

export function addSettingsOptions(command: Command): Command {
  return command
    .option('--time-zone <zone>', 'IANA name, like Europe/Prague (default UTC)')
    .option('--rest-days <days>', 'weekdays without business, like SAT,SUN, or none', listOf(WEEKDAYS))
    .option('--holidays <dates>', 'dates without business, like 2026-12-25,2026-12-26, or none', holidays)
    .option('--cut <hh:mm>', 'when the day is cut, by the clocks of the time zone (default 00:00: at the midnight that ends the date)', cutMinutes)
    .option('--automatic', 'run the end of day by itself at that time')
    .option('--no-automatic', 'run it on command only')
    .addOption(
      new Option('--roll-policy <policy>', 'the date of the first posting behind a cut: the new one, or the one that it closes').choices(ROLL_POLICIES),
    )
    .option('--stage-one-jobs <jobs>', 'jobs before the cut: MATURITY, or none', listOf(DAY_JOBS))
    .option('--jobs <jobs>', `jobs of the closed date, in this order (default ${DAY_JOBS.join(',')})`, listOf(DAY_JOBS))
    .option('--wait <milliseconds>', 'for transfers of the closed date that are on their way', wholeNumber)
    .option('--step-accounts <count>', 'accounts that a step looks at', wholeNumber)
    .option('--line-name <line=name>', `name of a contra line in reports: ${CONTRA_LINES.join(', ')}; may be repeated`, lineName);
}

/** The settings with what the options say; what they leave out stays. */
export function settingsOf(options: SettingsOptions, before: BranchSettingsInput = { timeZone: 'UTC' }): BranchSettingsInput {
  return {
    timeZone: options.timeZone ?? before.timeZone,
    restDays: options.restDays?.map((day) => WEEKDAYS.indexOf(day) + 1) ?? before.restDays,
    holidays: options.holidays ?? before.holidays,
    cutMinutes: options.cut ?? before.cutMinutes,
    automatic: options.automatic ?? before.automatic,
    rollPolicy: options.rollPolicy ?? before.rollPolicy,
    stageOneJobs: options.stageOneJobs ?? before.stageOneJobs,
    jobs: options.jobs ?? before.jobs,
    waitMs: options.wait ?? before.waitMs,
    stepAccounts: options.stepAccounts ?? before.stepAccounts,
    lineNames: { ...before.lineNames, ...options.lineName },
  };
}

/** "18:00" */
export function cutText(minutes: number): string {
  return [Math.floor(minutes / MINUTES_OF_HOUR), minutes % MINUTES_OF_HOUR].map((part) => String(part).padStart(2, '0')).join(':');
}

function cutMinutes(text: string): number {
  const [, hours, minutes] = /^(\d\d):(\d\d)$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) >= HOURS_OF_DAY || Number(minutes) >= MINUTES_OF_HOUR)
    throw new InvalidArgumentError('it is a time of the day, like 18:00');
  return Number(hours) * MINUTES_OF_HOUR + Number(minutes);
}

function holidays(text: string): readonly string[] {
  return text === 'none' ? [] : text.split(',').map(calendarDate);
}

/** LINE=NAME, gathered over repeated options. */
function lineName(text: string, gathered: SettingsOptions['lineName'] = {}): SettingsOptions['lineName'] {
  const at = text.indexOf('=');
  const line = CONTRA_LINES.find((known) => known === text.slice(0, Math.max(0, at)));
  if (line === undefined) throw new InvalidArgumentError(`it is LINE=NAME, and a line is ${CONTRA_LINES.join(', ')}`);
  return { ...gathered, [line]: text.slice(at + 1) };
}

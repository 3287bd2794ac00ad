/** Limits on the command line, for open and update alike. */
import type { AccountLimits, PostingType } from '@sluice/client';
import type { Command } from 'commander';
import { minorUnits, minorUnitsOrNone } from '../argument';
import { postingTypes } from './posting-type-argument';

export interface LimitOptions {
  readonly overdraft?: bigint;
  readonly maximumBalance?: bigint | 'none';
  readonly maximumPosting?: bigint | 'none';
  readonly allow?: PostingType[];
}

export function addLimitOptions(command: Command): Command {
  return command
    .option('--overdraft <amount>', 'how far the balance may go below zero', minorUnits)
    .option('--maximum-balance <amount>', "highest balance a CREDIT may lead to, or 'none'", minorUnitsOrNone)
    .option('--maximum-posting <amount>', "highest amount of one posting, or 'none'", minorUnitsOrNone)
    .option('--allow <types>', "posting types that are allowed, with commas; '' for all", postingTypes);
}

export function hasLimits(options: LimitOptions): boolean {
  return options.overdraft !== undefined || options.maximumBalance !== undefined || options.maximumPosting !== undefined || options.allow !== undefined;
}

/** The limits with what the options say in place of what was. */
export function limitsOf(options: LimitOptions, before: AccountLimits = {}): AccountLimits {
  const changed = (option: bigint | 'none' | undefined, value: bigint | undefined): bigint | undefined => (option === 'none' ? undefined : (option ?? value));
  return {
    overdraftMinor: options.overdraft ?? before.overdraftMinor ?? 0n,
    maximumBalanceMinor: changed(options.maximumBalance, before.maximumBalanceMinor),
    maximumPostingMinor: changed(options.maximumPosting, before.maximumPostingMinor),
    allowedTypes: options.allow ?? before.allowedTypes ?? [],
  };
}

/** What accounts and branches of a file are called on the server: not as those of a replay of the same file without days. */
import { basename } from 'node:path';

export class DayNames {
  private readonly namespace: string;

  constructor(file: string) {
    this.namespace = `${basename(file).replace(/(\.csv)?(\.gz)?$/, '')}-days`;
  }

  readonly account = (accountId: string): string => `${this.namespace}/${accountId}`;

  readonly branch = (branchId: string): string => `${this.namespace}/branch-${branchId}`;

  run(branchId: string, date: string): string {
    return `${this.branch(branchId)}/${date}`;
  }
}

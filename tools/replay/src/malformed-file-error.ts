/** The file is not what it should be; says where. */
export class MalformedFileError extends Error {
  constructor(file: string, line: number, problem: string) {
    super(`${file}, line ${line}: ${problem}`);
    this.name = 'MalformedFileError';
  }
}

/** A file that the configuration names cannot be used. The message names the file and what is wrong, and never quotes it. */
export class UnusableFileError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UnusableFileError';
  }
}

/** A store cannot be reached now, or does not have yet what a question needs. Nothing is wrong with the question: it may be asked again. */
export class StoreUnavailableError extends Error {
  constructor(message: string, options: { readonly cause: unknown }) {
    super(message, options);
    this.name = 'StoreUnavailableError';
  }
}

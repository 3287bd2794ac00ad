/** How the run of a handler ended. */
export interface HandlerOutcome {
  readonly result: { readonly bytes: Uint8Array; readonly contentType: string } | undefined;
  readonly failure: { readonly message: string; readonly permanent: boolean } | undefined;
}

export function failureOf(error: unknown): NonNullable<HandlerOutcome['failure']> {
  const permanent = typeof error === 'object' && error !== null && (error as { permanent?: unknown }).permanent === true;
  return { message: error instanceof Error ? error.message : String(error), permanent };
}

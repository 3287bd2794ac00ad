/** A command of one aggregate: its position is remembered for the reads that follow, and its error names the request. */
import type { Caller, CallOptions, UnaryMethod } from './caller';
import type { PositionTracker } from './position-tracker';
import { toSluiceError } from './sluice-error';

export async function callCommand<Request extends { readonly requestId: string }, Response extends { readonly positionToken: string }>(
  { caller, positions }: { readonly caller: Caller; readonly positions: PositionTracker },
  method: UnaryMethod<Request, Response>,
  request: Request,
  options: CallOptions | undefined,
): Promise<Response> {
  try {
    const response = await caller.unary(method, request, options);
    positions.add(response.positionToken);
    return response;
  } catch (error) {
    throw toSluiceError(error).about(request.requestId);
  }
}

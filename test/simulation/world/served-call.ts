/** A call as the server has it: which method it asks for, what the handler knows of the caller, and what an error of the handler is for the caller. */
import { EventEmitter } from 'node:events';
import { Metadata } from '@grpc/grpc-js';
import { ANYBODY, CallContext, functionOf, SluiceError, statusOf, type ServiceFunction, type ServiceRegistration } from '@sluice/service';
import { CallFailed } from './call-failed';
import type { Life } from './life';

type AnyCall = ConstructorParameters<typeof CallContext>[0];

export interface Server {
  readonly life: Life;
  /** By path ("/package.Service/Method"). */
  readonly methods: ReadonlyMap<string, ServedMethod>;
}

export interface ServedMethod {
  readonly method: Codec;
  readonly carried: ServiceFunction | undefined;
}

interface Codec {
  readonly path: string;
  requestSerialize(request: unknown): Buffer;
  requestDeserialize(bytes: Buffer): unknown;
  responseSerialize(response: unknown): Buffer;
  responseDeserialize(bytes: Buffer): unknown;
}

export function methodsOf(registrations: readonly ServiceRegistration[]): Map<string, ServedMethod> {
  const methods = new Map<string, ServedMethod>();
  for (const { definition, implementation } of registrations) {
    for (const [name, method] of Object.entries(definition as Record<string, Codec>)) {
      methods.set(method.path, { method, carried: functionOf(implementation[name] as object) });
    }
  }
  return methods;
}

/** Throws where the server has no such method. */
export function methodOf({ methods }: Server, path: string): ServedMethod {
  const served = methods.get(path);
  if (served === undefined) throw new Error(`nothing serves ${path}`);
  return served;
}

export function asCallFailed(error: unknown): CallFailed {
  if (error instanceof CallFailed) return error;
  if (!(error instanceof SluiceError)) return new CallFailed('REFUSED', 'INTERNAL', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  const { code } = statusOf(error);
  const message = `${error.reason}: ${error.message}`;
  // 14 is UNAVAILABLE, 4 DEADLINE_EXCEEDED.
  return new CallFailed(code === 14 ? 'UNAVAILABLE' : code === 4 ? 'DEADLINE_EXCEEDED' : 'REFUSED', error.reason, message, error);
}

/** What a handler knows about the call; it ends when the caller gives up. */
export function contextOf(path: string, deadlineMs: number, forwardedTo: number | undefined, departure: Departure): CallContext {
  const call = new SimulatedCall(path, deadlineMs);
  departure.when(() => call.cancel());
  return new CallContext(call, ANYBODY, forwardedTo);
}

/** The caller gives up: told once to whatever works for it. */
export class Departure {
  isOver = false;
  readonly #listeners: (() => void)[] = [];

  when(listener: () => void): void {
    if (this.isOver) listener();
    else this.#listeners.push(listener);
  }

  tell(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const listener of this.#listeners) listener();
  }
}

class SimulatedCall extends EventEmitter implements AnyCall {
  cancelled = false;
  readonly metadata = new Metadata();

  constructor(
    private readonly path: string,
    private readonly deadlineMs: number,
  ) {
    super();
  }

  cancel(): void {
    this.cancelled = true;
    this.emit('cancelled');
  }

  getPath(): string {
    return this.path;
  }

  getPeer(): string {
    return 'simulated';
  }

  getDeadline(): number {
    return this.deadlineMs;
  }

  getAuthContext(): Record<string, never> {
    return {};
  }
}

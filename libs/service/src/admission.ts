/**
 * Who comes in. Every call passes here before its request is decoded, in this order: the server is not stopping → the
 * caller is who it says → it has the role → it is within its rate → there is room. The first check that fails answers.
 */
import type { AnyCall } from './call-context';
import { ANYBODY, type Caller, type Role } from './caller';
import type { ForwardedCall, HopProof } from './hop-proof';
import type { RateLimiter } from './rate-limit';
import { refusal } from './sluice-error';

export interface Authenticator {
  /**
   * Who sent this call; throws NOT_AUTHENTICATED. Answers at once where it can, so that the hot path need not wait.
   */
  authenticate(call: AnyCall): Caller | Promise<Caller>;
}

export interface AdmissionOptions {
  /** Undefined: everybody may do everything. */
  readonly authenticator?: Authenticator;
  /** Undefined: no limit. */
  readonly rateLimiter?: RateLimiter;
  readonly maximumCalls: number;
  /** Undefined: no call is sent on to this server. */
  readonly hopProof?: HopProof;
  /** Told of each call that claims to be sent on and does not prove it. */
  readonly onUnproven?: (call: AnyCall) => void;
}

export interface Admitted {
  readonly caller: Caller;
  /** The partition for which a peer sent the call on; undefined: the caller sent it here itself. */
  readonly forwardedTo: number | undefined;
}

const ADMITTED_ANYBODY: Admitted = Object.freeze({ caller: ANYBODY, forwardedTo: undefined });

export class Admission {
  private openTo: 'callers' | 'peers' | 'none' = 'callers';
  private inFlight = 0;
  private whenIdle: (() => void)[] = [];

  constructor(private readonly options: AdmissionOptions) {}

  /** Admits a call, or throws the SluiceError that answers it. Whoever is admitted leaves by `leave`. */
  enter(call: AnyCall, role: Role): Admitted | Promise<Admitted> {
    if (this.openTo === 'none') throw refusal('SHUTTING_DOWN');
    if (this.options.authenticator === undefined) return this.enterAs(ANYBODY, call, role);
    const caller = this.options.authenticator.authenticate(call);
    return caller instanceof Promise ? caller.then((known) => this.enterAs(known, call, role)) : this.enterAs(caller, call, role);
  }

  leave(): void {
    this.inFlight -= 1;
    if (this.inFlight > 0) return;
    for (const resolve of this.whenIdle.splice(0)) resolve();
  }

  /** From now on only calls come in that peers send on: this instance may still own what they are for. */
  closeToCallers(): void {
    this.openTo = 'peers';
  }

  /** From now on no call comes in. */
  close(): void {
    this.openTo = 'none';
  }

  get calls(): number {
    return this.inFlight;
  }

  /** Resolves when the last call has left. */
  async idle(): Promise<void> {
    if (this.inFlight > 0) await new Promise<void>((resolve) => this.whenIdle.push(resolve));
  }

  private enterAs(sender: Caller, call: AnyCall, role: Role): Admitted {
    if (this.openTo === 'none') throw refusal('SHUTTING_DOWN');
    const forwarded = this.forwardedCallOf(call, sender);
    if (this.openTo === 'peers' && forwarded === undefined) throw refusal('SHUTTING_DOWN');
    const caller = forwarded?.caller ?? sender;
    if (!caller.roles.has(role)) throw refusal('NOT_AUTHORIZED', `"${caller.name}" lacks the role "${role}"`, { role });
    // A forwarded call was counted where it came in.
    if (forwarded === undefined) this.options.rateLimiter?.take(caller === ANYBODY ? hostOf(call.getPeer()) : caller.name);
    if (this.inFlight >= this.options.maximumCalls) throw refusal('TOO_MANY_CALLS');
    this.inFlight += 1;
    return caller === ANYBODY ? ADMITTED_ANYBODY : { caller, forwardedTo: forwarded?.partition };
  }

  /** A call with an unproven claim is the sender's own: it is counted, and has the sender's roles. */
  private forwardedCallOf(call: AnyCall, sender: Caller): ForwardedCall | undefined {
    const { hopProof, onUnproven } = this.options;
    if (hopProof === undefined || !sender.roles.has('peer')) return undefined;
    const forwarded = hopProof.read(call.getPath(), call.metadata);
    if (forwarded !== 'unproven') return forwarded;
    onUnproven?.(call);
    return undefined;
  }
}

/** Nobody has a name: rates are counted by the address, whatever its port. */
function hostOf(peer: string): string {
  const colon = peer.lastIndexOf(':');
  return colon < 0 ? peer : peer.slice(0, colon);
}

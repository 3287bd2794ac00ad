/**
 * Who calls: by bearer token (static, or a JSON web token), else by the client certificate of the connection. A token that
 * is there and wrong is refused even if a certificate would do: nobody gets in by a mistake that he does not see.
 */
import type { Authenticator } from '../admission';
import type { AnyCall } from '../call-context';
import type { Caller } from '../caller';
import { refusal } from '../sluice-error';
import type { KnownCallers } from './known-callers';
import type { WebTokens } from './web-tokens';

const BEARER = /^bearer +(\S+)$/i;

export class Authentication implements Authenticator {
  constructor(
    /** Asked at every call: the file may have changed. */
    private readonly known: () => KnownCallers,
    private readonly webTokens: WebTokens | undefined,
  ) {}

  authenticate(call: AnyCall): Caller | Promise<Caller> {
    const [header] = call.metadata.get('authorization');
    return header === undefined ? this.byCertificate(call) : this.byToken(header.toString());
  }

  private byToken(header: string): Caller | Promise<Caller> {
    const token = BEARER.exec(header)?.[1];
    if (token === undefined) throw refusal('NOT_AUTHENTICATED', 'authorization must be "Bearer TOKEN"');
    const caller = this.known().byToken(token);
    if (caller !== undefined) return caller;
    if (this.webTokens === undefined) throw refusal('NOT_AUTHENTICATED', 'the token is unknown');
    return this.webTokens.callerOf(token);
  }

  private byCertificate(call: AnyCall): Caller {
    const known = this.known();
    if (known.namesCertificates) {
      const certificate = call.getAuthContext().sslPeerCertificate;
      const caller = certificate && known.byCertificate(certificate);
      if (caller !== undefined) return caller;
    }
    throw refusal('NOT_AUTHENTICATED', 'the call has no token, and no client certificate that is known here');
  }
}

/**
 * What every app hands to the server: services with their implementations, and how to stop what drives them.
 */
import type { ServiceDefinition, UntypedServiceImplementation } from '@grpc/grpc-js';
import type { Role } from './caller';
import type { Readiness } from './readiness';

export interface ServiceRegistration {
  /** Full name, like "sluice.account.v1.AccountCommandService". */
  readonly name: string;
  readonly definition: ServiceDefinition;
  readonly implementation: UntypedServiceImplementation;
  /** Undefined: it is ready as long as it runs. */
  readonly readiness?: Readiness;
  /**
   * The role a caller needs, for the service or by method ("getStatus"). Where nothing is said: "post" for services named
   * …CommandService, "read" for …QueryService, "operate" for all others.
   */
  readonly access?: Role | Readonly<Record<string, Role>>;
}

export interface ServiceRuntime {
  readonly registrations: readonly ServiceRegistration[];
  stop(): Promise<void>;
}

export function roleOf(registration: ServiceRegistration, method: string): Role {
  const { access, name } = registration;
  if (typeof access === 'string') return access;
  const said = access?.[method];
  if (said !== undefined) return said;
  if (name.endsWith('CommandService')) return 'post';
  if (name.endsWith('QueryService')) return 'read';
  return 'operate';
}

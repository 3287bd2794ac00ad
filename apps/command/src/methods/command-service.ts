/** A service made of methods, as a server registers it. */
import type { ServiceDefinition } from '@grpc/grpc-js';
import type { ServiceRegistration } from '@sluice/service';
import type { ServiceMethod } from './command-method';

/**
 * @param definition as it is generated: every method of it needs an implementation.
 * @param access the role that callers need; undefined: "post" for a service named …CommandService.
 */
export function commandService<Definition extends ServiceDefinition>(
  name: string,
  definition: Definition,
  methods: { readonly [Method in keyof Definition]: ServiceMethod },
  access?: ServiceRegistration['access'],
): ServiceRegistration {
  const entries = Object.keys(definition).map((method) => [method, methods[method as keyof Definition]] as const);
  return {
    name,
    definition: Object.fromEntries(entries.map(([method, made]) => [method, made.definition])),
    implementation: Object.fromEntries(entries.map(([method, made]) => [method, made.implementation])),
    ...(access === undefined ? undefined : { access }),
  };
}

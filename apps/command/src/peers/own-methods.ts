/**
 * The methods of this instance over encoded bytes. A request whose partition came to this instance while a hop was under way
 * runs here, by the same path as a hop to another owner.
 */
import type { MethodDefinition } from '@grpc/grpc-js';
import { functionOf, type CallContext, type ServiceRegistration, type UnaryFunction } from '@sluice/service';

interface OwnMethod {
  readonly definition: MethodDefinition<unknown, unknown>;
  readonly run: UnaryFunction<never, unknown>;
}

export class OwnMethods {
  private readonly methods = new Map<string, OwnMethod>();

  add({ definition, implementation }: ServiceRegistration): void {
    for (const [name, method] of Object.entries(definition)) {
      const carried = functionOf(implementation[name] as object);
      if (carried?.form === 'unary') this.methods.set(method.path, { definition: method, run: carried.run });
    }
  }

  async run(path: string, request: Buffer, call: CallContext): Promise<Buffer> {
    const method = this.methods.get(path);
    if (method === undefined) throw new Error(`${path} is no unary method of this instance`);
    const { definition, run } = method;
    return definition.responseSerialize(await run(definition.requestDeserialize(request) as never, call));
  }
}

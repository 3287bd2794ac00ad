/**
 * Server reflection, v1 and v1alpha: grpcurl and its like work without proto files. Answers come from the raw descriptors,
 * and only the services of this server are listed.
 */
import { ReflectionService } from '@grpc/reflection';
import { fileDescriptors } from '@sluice/protocol';

const ALWAYS_THERE = ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

export function reflectionOf(services: readonly string[]): ReflectionService {
  // The package wants what proto-loader makes; all it reads of it are the descriptors.
  const definition = { descriptors: { format: '', type: {}, fileDescriptorProtos: fileDescriptors() } };
  return new ReflectionService(definition as unknown as ConstructorParameters<typeof ReflectionService>[0], { services: [...services, ...ALWAYS_THERE] });
}

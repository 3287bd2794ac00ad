/**
 * Server reflection, v1 and v1alpha: grpcurl and its like work without proto files. Answers come from the raw descriptors,
 * and only the services of this server are listed.
 *
 * The descriptors are read when the first caller asks: a server that starts does not wait for it.
 */
import { type Server, type ServerDuplexStream, status } from '@grpc/grpc-js';
import { fileDescriptors, ProtoFiles, reflectionalphapb, reflectionpb } from '@sluice/protocol';

const ALWAYS_THERE = ['grpc.health.v1.Health', 'grpc.reflection.v1.ServerReflection', 'grpc.reflection.v1alpha.ServerReflection'];

/** Both versions have the same messages. */
type Request = reflectionpb.ServerReflectionRequest;
type Answer = reflectionpb.ServerReflectionResponse['messageResponse'];
type Call = ServerDuplexStream<Request, reflectionpb.ServerReflectionResponse>;

let read: ProtoFiles | undefined;

/** @param services full names of the services of the server. */
export function addReflection(server: Pick<Server, 'addService'>, services: readonly string[]): void {
  const listed = [...services, ...ALWAYS_THERE];
  const implementation = { serverReflectionInfo: (call: Call) => answerEach(call, listed) };
  for (const { ServerReflectionService } of [reflectionpb, reflectionalphapb]) server.addService(ServerReflectionService, implementation);
}

function answerEach(call: Call, services: readonly string[]): void {
  call.on('end', () => call.end());
  call.on('data', (request: Request) => {
    const { host: validHost } = request;
    if (call.write({ validHost, originalRequest: request, messageResponse: answerTo(request, services) })) return;
    // A caller that reads no answers is not read from either.
    call.pause();
    call.once('drain', () => call.resume());
  });
}

function answerTo({ messageRequest: asked }: Request, services: readonly string[]): Answer {
  read ??= new ProtoFiles(fileDescriptors());
  switch (asked?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return filesOr(read.byName(asked.value), `there is no proto file ${asked.value}`);
    case 'fileContainingSymbol':
      return filesOr(read.bySymbol(asked.value), `no proto file declares ${asked.value}`);
    case 'fileContainingExtension':
      return filesOr(undefined, `${asked.value.containingType} has no extensions`);
    case 'allExtensionNumbersOfType':
      return filesOr(undefined, `${asked.value} has no extensions`);
    case undefined:
      return { $case: 'errorResponse', value: { errorCode: status.INVALID_ARGUMENT, errorMessage: 'the request asks for nothing that is known here' } };
    default:
      return asked satisfies never;
  }
}

function filesOr(files: Buffer[] | undefined, whyNot: string): Answer {
  if (files === undefined) return { $case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage: whyNot } };
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: files } };
}

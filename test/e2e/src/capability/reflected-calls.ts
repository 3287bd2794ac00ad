/** Calls a server by what its reflection says, as grpcurl does: without a proto file and without generated code. */
import { createFileRegistry, create, type DescMessage, fromBinary, fromJson, type JsonValue, toBinary, toJson } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, type ServiceError } from '@grpc/grpc-js';
import { reflectionpb } from '@sluice/protocol';

export class ReflectedCalls {
  private readonly client: Client;
  private readonly reflection: reflectionpb.ServerReflectionClient;

  constructor(address: string) {
    this.client = new Client(address, credentials.createInsecure());
    this.reflection = new reflectionpb.ServerReflectionClient(address, credentials.createInsecure());
  }

  async services(): Promise<string[]> {
    const answer = await this.ask({ $case: 'listServices', value: '' });
    return answer?.$case === 'listServicesResponse' ? answer.value.service.map(({ name }) => name) : [];
  }

  /** Calls a unary method of a service; request and answer in the JSON form of protobuf. */
  async call(service: string, method: string, request: JsonValue): Promise<JsonValue> {
    const { input, output } = await this.method(service, method);
    const bytes = Buffer.from(toBinary(input, fromJson(input, request)));
    const asIs = (value: Buffer): Buffer => value;
    const answer = await new Promise<Buffer>((resolve, reject) => {
      this.client.makeUnaryRequest(`/${service}/${method}`, asIs, asIs, bytes, (error: ServiceError | null, response?: Buffer) =>
        error === null && response !== undefined ? resolve(response) : reject(error ?? new Error('there is no answer')),
      );
    });
    return toJson(output, fromBinary(output, answer));
  }

  close(): void {
    this.client.close();
    this.reflection.close();
  }

  private async method(service: string, name: string): Promise<{ readonly input: DescMessage; readonly output: DescMessage }> {
    const answer = await this.ask({ $case: 'fileContainingSymbol', value: service });
    if (answer?.$case !== 'fileDescriptorResponse') throw new Error(`the server does not know ${service}`);
    const file = answer.value.fileDescriptorProto.map((bytes) => fromBinary(FileDescriptorProtoSchema, bytes));
    const method = createFileRegistry(create(FileDescriptorSetSchema, { file }))
      .getService(service)
      ?.methods.find((one) => one.name === name);
    if (method === undefined) throw new Error(`${service} has no method ${name}`);
    return method;
  }

  private ask(
    messageRequest: NonNullable<reflectionpb.ServerReflectionRequest['messageRequest']>,
  ): Promise<reflectionpb.ServerReflectionResponse['messageResponse']> {
    const stream = this.reflection.serverReflectionInfo();
    return new Promise((resolve, reject) => {
      stream.on('data', ({ messageResponse }: reflectionpb.ServerReflectionResponse) => {
        resolve(messageResponse);
        stream.end();
      });
      stream.on('error', reject);
      stream.write({ host: '', messageRequest });
    });
  }
}

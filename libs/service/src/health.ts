/**
 * grpc.health.v1: per service and, under the empty name, for the whole server. The server serves only while every one of
 * its services does.
 */
import { type sendUnaryData, type Server, type ServerUnaryCall, type ServerWritableStream, status } from '@grpc/grpc-js';
import { healthpb } from '@sluice/protocol';

const { SERVING, NOT_SERVING, SERVICE_UNKNOWN } = healthpb.HealthCheckResponse_ServingStatus;
type Status = healthpb.HealthCheckResponse_ServingStatus;
type WatchCall = ServerWritableStream<healthpb.HealthCheckRequest, healthpb.HealthCheckResponse>;

/** The name of the whole server. */
const WHOLE = '';

export class Health {
  private readonly serving = new Map<string, boolean>();
  private readonly unready = new Set<string>();
  private readonly statuses = new Map<string, Status>();
  private readonly watches = new Set<WatchCall>();

  /** Nothing serves until it is said to. */
  constructor(services: readonly string[]) {
    for (const service of services) this.serving.set(service, false);
    this.publish();
  }

  /** Without a service: all of them. */
  set(serving: boolean, service?: string): void {
    if (service !== undefined && !this.serving.has(service)) throw new Error(`${service} is not a service of this server`);
    for (const name of service === undefined ? [...this.serving.keys()] : [service]) this.serving.set(name, serving);
    this.publish();
  }

  /** A service that is not ready does not serve, whatever else was said. */
  setReady(ready: boolean, service: string): void {
    if (ready) this.unready.delete(service);
    else this.unready.add(service);
    this.publish();
  }

  addToServer(server: Pick<Server, 'addService'>): void {
    server.addService(healthpb.HealthService, {
      check: (call: ServerUnaryCall<healthpb.HealthCheckRequest, unknown>, answer: sendUnaryData<healthpb.HealthCheckResponse>) => {
        const { service } = call.request;
        const found = this.statuses.get(service);
        if (found === undefined) answer({ code: status.NOT_FOUND, details: `${service} is not a service of this server` });
        else answer(null, { status: found });
      },
      list: (_call: unknown, answer: sendUnaryData<healthpb.HealthListResponse>) =>
        answer(null, { statuses: Object.fromEntries([...this.statuses].map(([service, found]) => [service, { status: found }])) }),
      watch: (call: WatchCall) => {
        this.watches.add(call);
        call.once('cancelled', () => this.watches.delete(call));
        call.write({ status: this.statuses.get(call.request.service) ?? SERVICE_UNKNOWN });
      },
    });
  }

  private publish(): void {
    const serves = ([service, serving]: [string, boolean]): boolean => serving && !this.unready.has(service);
    for (const entry of this.serving) this.tell(entry[0], serves(entry));
    this.tell(WHOLE, [...this.serving].every(serves));
  }

  private tell(service: string, serves: boolean): void {
    const now = serves ? SERVING : NOT_SERVING;
    if (this.statuses.get(service) === now) return;
    this.statuses.set(service, now);
    for (const call of this.watches) if (call.request.service === service) call.write({ status: now });
  }
}

/**
 * grpc.health.v1: per service and, under the empty name, for the whole server. The server serves only while every one of
 * its services does.
 */
import { HealthImplementation } from 'grpc-health-check';

export class Health {
  private readonly implementation = new HealthImplementation();
  private readonly serving = new Map<string, boolean>();

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

  addToServer(server: Parameters<HealthImplementation['addToServer']>[0]): void {
    this.implementation.addToServer(server);
  }

  private publish(): void {
    for (const [service, serving] of this.serving) this.implementation.setStatus(service, serving ? 'SERVING' : 'NOT_SERVING');
    this.implementation.setStatus('', [...this.serving.values()].every(Boolean) ? 'SERVING' : 'NOT_SERVING');
  }
}

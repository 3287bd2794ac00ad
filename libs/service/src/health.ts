/**
 * grpc.health.v1: per service and, under the empty name, for the whole server. The server serves only while every one of
 * its services does.
 */
import { HealthImplementation } from 'grpc-health-check';

export class Health {
  private readonly implementation = new HealthImplementation();
  private readonly serving = new Map<string, boolean>();
  private readonly unready = new Set<string>();

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

  addToServer(server: Parameters<HealthImplementation['addToServer']>[0]): void {
    this.implementation.addToServer(server);
  }

  private publish(): void {
    const serves = ([service, serving]: [string, boolean]): boolean => serving && !this.unready.has(service);
    for (const entry of this.serving) this.implementation.setStatus(entry[0], serves(entry) ? 'SERVING' : 'NOT_SERVING');
    this.implementation.setStatus('', [...this.serving].every(serves) ? 'SERVING' : 'NOT_SERVING');
  }
}

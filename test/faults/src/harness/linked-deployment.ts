/**
 * Ways between the processes of one deployment that a test can close: of each command instance to NATS, of the command instances to one of them,
 * and of one projector to MongoDB. Open they pass everything on.
 */
import type { DistributedOptions, ProcessSurroundings } from '@sluice/distributed';
import { TcpLink } from '@sluice/testing';
import { MongodbGate } from './mongodb-gate';

const COMMANDS = ['command-1', 'command-2'] as const;

export class LinkedDeployment {
  /** Its peers reach this instance by the link. */
  static readonly LINKED_PEER = 'command-2';
  /** It reaches the read store by the gate. */
  static readonly GATED_PROJECTOR = 'projector-1';

  private readonly toNats = new Map<string, TcpLink>();
  private openedPeer: TcpLink | undefined;
  private openedGate: MongodbGate | undefined;
  private natsPort = 0;
  private mongodbPort = 0;
  private peerPort = (): number => 0;

  /** Before the deployment starts. */
  async open(): Promise<void> {
    for (const name of COMMANDS) this.toNats.set(name, await TcpLink.open(() => this.natsPort));
    this.openedPeer = await TcpLink.open(() => this.peerPort());
    this.openedGate = await MongodbGate.open(() => this.mongodbPort);
  }

  readonly options: Pick<DistributedOptions, 'counts' | 'environmentOf'> = {
    counts: { command: COMMANDS.length, projector: 2, scheduler: 2 },
    environmentOf: (name, surroundings) => this.environmentOf(name, surroundings),
  };

  /** The way of a command instance to NATS. */
  natsLink(name: string): TcpLink {
    const link = this.toNats.get(name);
    if (link === undefined) throw new Error(`${name} has no link to NATS`);
    return link;
  }

  get peerLink(): TcpLink {
    if (this.openedPeer === undefined) throw new Error('the links are not open');
    return this.openedPeer;
  }

  get gate(): MongodbGate {
    if (this.openedGate === undefined) throw new Error('the gate is not open');
    return this.openedGate;
  }

  async close(): Promise<void> {
    for (const link of this.toNats.values()) await link.close();
    await this.openedPeer?.close();
    await this.openedGate?.end();
  }

  private environmentOf(name: string, { nats, mongodb, port }: ProcessSurroundings): Record<string, string> {
    this.natsPort = Number(new URL(nats.url).port);
    this.mongodbPort = Number(new URL(mongodb.url).port);
    const environment: Record<string, string> = {};
    const toNats = this.toNats.get(name);
    if (toNats !== undefined) environment['SLUICE_NATS_URL'] = `nats://${toNats.address}`;
    if (name === LinkedDeployment.LINKED_PEER) {
      this.peerPort = port;
      environment['SLUICE_ADVERTISED_ADDRESS'] = this.peerLink.address;
    }
    if (name === LinkedDeployment.GATED_PROJECTOR) {
      const url = new URL(mongodb.url);
      url.port = String(this.gate.port);
      environment['SLUICE_READ_URL'] = url.href;
    }
    return environment;
  }
}

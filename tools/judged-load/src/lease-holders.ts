/** Which process holds a lease, by the lease service itself. */
import { NatsLease, NatsLink } from '@sluice/bus-nats';

export interface LeaseHoldersOptions {
  readonly natsUrl: string;
  readonly deployment: string;
}

/** Instance that holds the lease ("command/0", "projector/3"); undefined: none. Rejects while NATS is away. */
export async function leaseHolder({ natsUrl, deployment }: LeaseHoldersOptions, name: string): Promise<string | undefined> {
  const link = await NatsLink.open({ url: natsUrl });
  try {
    const lease = await NatsLease.open({ link, deployment });
    return (await lease.read(name))?.holder.id;
  } finally {
    await link.close();
  }
}

/** Command instances that do not know each other: their leases are of different deployments, and their log is the same. */
const STRANGER = 'command-2';

export function deploymentOf(name: string): string {
  return name === STRANGER ? 'other' : 'main';
}

/** What the secret `sluice` of the Kubernetes files may hold, by key. */
export const SECRET_VALUES: Readonly<Record<string, string>> = {
  'log-url': 'mongodb://sluice_log:password-of-the-log@mongodb/sluice_log?replicaSet=sluice',
  'log-reader-url': 'mongodb://sluice_log_reader:password-of-the-reader@mongodb/sluice_log?replicaSet=sluice',
  'read-url': 'mongodb://sluice_read:password-of-the-read-store@mongodb/sluice_read?replicaSet=sluice',
  'nats-url': 'nats://sluice:password-of-nats@nats:4222',
  'nats-password': 'password-of-nats',
  'keyring-secret': 'secret-of-the-keyring',
};

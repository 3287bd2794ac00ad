/** The Kubernetes files: every pod keeps to the strictest of the pod security standards, has its resources, and mounts what it uses. */
import { kustomizationText, type PodContainer, resourcesOf, type Workload, workloadsOf } from './kubernetes-files';
import { OUR_IMAGE } from './container';

const FOLDERS = ['kubernetes', 'kubernetes-tls'] as const;
const WORKLOADS = FOLDERS.flatMap((folder) => workloadsOf(resourcesOf(folder)).map((workload) => ({ folder, name: workload.name, workload })));
const containersOf = ({ pod }: Workload): readonly PodContainer[] => pod.containers;

describe.each(WORKLOADS)('$name in $folder', ({ workload }) => {
  test('is not root, whatever the image says, and its system calls are filtered', () => {
    expect(workload.pod.securityContext).toMatchObject({ runAsNonRoot: true, runAsUser: 1000, runAsGroup: 1000, seccompProfile: { type: 'RuntimeDefault' } });
  });

  test('has no privileges, no capabilities and a root file system that it cannot write', () => {
    for (const container of containersOf(workload)) {
      expect(container.securityContext).toEqual({
        allowPrivilegeEscalation: false,
        readOnlyRootFilesystem: true,
        capabilities: { drop: ['ALL'] },
      });
    }
  });

  test('asks for processor and memory, and is bounded in memory', () => {
    for (const { resources } of containersOf(workload)) {
      expect(Object.keys(resources?.requests ?? {})).toEqual(['cpu', 'memory']);
      expect(resources?.limits).toHaveProperty('memory');
    }
  });

  test('has no access to the cluster, and no variables of other services', () => {
    expect(workload.pod).toMatchObject({ automountServiceAccountToken: false, enableServiceLinks: false });
  });

  test('is probed at its start, for readiness and for life; the first and the last do not depend on other servers', () => {
    for (const { image, startupProbe, readinessProbe, livenessProbe } of containersOf(workload)) {
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) expect(probe?.exec ?? probe?.httpGet).toBeDefined();
      if (image !== OUR_IMAGE) continue;
      for (const probe of [startupProbe, livenessProbe]) expect(probe?.exec?.command.at(-1)).toBe('--alive');
      expect(readinessProbe?.exec?.command).not.toContain('--alive');
      // The program gives up after 3 s by itself and says why.
      for (const probe of [startupProbe, readinessProbe, livenessProbe]) expect(probe?.timeoutSeconds).toBeGreaterThan(3);
    }
  });

  test('mounts only what is declared, and declares only what is mounted', () => {
    const claimed = workload.name === 'nats' ? ['data'] : [];
    const declared = [...(workload.pod.volumes ?? []).map(({ name }) => name), ...claimed];
    const mounted = containersOf(workload).flatMap(({ volumeMounts = [] }) => volumeMounts.map(({ name }) => name));
    expect([...mounted].sort()).toEqual([...declared].sort());
  });
});

describe.each(FOLDERS)('the secrets of %s', (folder) => {
  const resources = resourcesOf(folder);
  const references = workloadsOf(resources).flatMap((workload) =>
    containersOf(workload).flatMap(({ env = [] }) => env.flatMap(({ valueFrom }) => (valueFrom?.secretKeyRef === undefined ? [] : [valueFrom.secretKeyRef]))),
  );

  test('are those that the file says how to make', () => {
    const documented = [...kustomizationText('kubernetes').matchAll(/--from-literal=([a-z-]+)=/g)].map(([, key]) => key);
    expect([...new Set(references.map(({ key }) => key))].sort()).toEqual([...documented].sort());
    expect(new Set(references.map(({ name }) => name))).toEqual(new Set(['sluice']));
  });

  test('stand in no file', () => {
    expect(resources.filter(({ kind }) => kind === 'Secret')).toEqual([]);
    expect(JSON.stringify(resources)).not.toMatch(/:\/\/[^"/]*:[^"/]*@/);
  });
});

test('with TLS every service is given the certificate where its configuration looks for it', () => {
  const resources = resourcesOf('kubernetes-tls');
  const settings = resources.find(({ kind, metadata }) => kind === 'ConfigMap' && metadata.name === 'sluice')?.data ?? {};
  const files = [settings['SLUICE_TLS_CERT'], settings['SLUICE_TLS_KEY'], settings['SLUICE_TLS_CA']];
  for (const workload of workloadsOf(resources).filter(({ name }) => name !== 'nats')) {
    const [mount] = containersOf(workload).flatMap(({ volumeMounts = [] }) => volumeMounts);
    expect(workload.pod.volumes).toEqual([{ name: 'tls', secret: { secretName: 'sluice-tls', defaultMode: 0o440 } }]);
    expect(files).toEqual(['tls.crt', 'tls.key', 'ca.crt'].map((file) => `${mount?.mountPath}/${file}`));
    // Readable for the group only, and the group is the pod's.
    expect(workload.pod.securityContext).toHaveProperty('fsGroup', 1000);
  }
});

test('the namespace admits nothing less strict', () => {
  const namespace = resourcesOf('kubernetes').find(({ kind }) => kind === 'Namespace');
  expect(namespace?.metadata.labels).toEqual({ 'pod-security.kubernetes.io/enforce': 'restricted' });
});

test.each(FOLDERS)('%s: every set of pods has its service, with the port that its container names', (folder) => {
  const resources = resourcesOf(folder);
  for (const { name, pod } of workloadsOf(resources)) {
    const service = resources.find(({ kind, metadata }) => kind === 'Service' && metadata.name === name);
    const ports = pod.containers.flatMap(({ ports: named = [] }) => named.map(({ containerPort }) => containerPort));
    expect(ports).toContain(service?.spec?.ports?.[0]?.port);
  }
});

/**
 * `sluice health`: whether the server that the environment configures answers, for the probes of containers and orchestrators.
 *
 *   asked             SERVING   NOT_SERVING   SILENT   ABSENT
 *   (nothing)         0         1             3        3
 *   --alive           0         0             3        3
 *
 * Without a service every well-known port is asked. Those where nothing listens are left out, unless that is all of them; the highest
 * code counts.
 */
import { parseArgs } from 'node:util';
import { UnusableFileError } from '../security/unusable-file-error';
import { probe, type ProbeState } from './probe';
import { probeSettings } from './probe-settings';
import { type ClientCertificate, probeAddresses, PROBED_SERVICES, type ProbedService, shownCertificate } from './probe-target';

/** The codes of the command line; 78 is EX_CONFIG of sysexits.h. */
const EXIT = { healthy: 0, notServing: 1, usage: 2, noAnswer: 3, configuration: 78 } as const;
const PORT = /^[1-9]\d{0,4}$/;

export const HEALTH_USAGE = `usage: sluice health [${PROBED_SERVICES.join('|')}] [options]

Asks the process on this machine that has the same configuration (SLUICE_PORT, SLUICE_TLS_CERT, …) for its health.
Without a name and SLUICE_PORT: whatever listens on the well-known ports.

Options:
  --alive            any answer will do: NOT_SERVING counts as well
  --tls-cert <file>  client certificate to show, where it is not that of the process (PEM)
  --tls-key <file>   its key (PEM)

Exit codes:
  0  it serves (--alive: it answers)
  1  it answers that it does not serve
  2  the command line is wrong
  3  no answer
  78 the configuration is wrong

Examples:
  sluice health
  sluice health command
  sluice health command --alive
`;

export interface ProbeOutput {
  /** What was found, a line per server. */
  result(line: string): void;
  /** Why it could not be asked. */
  problem(line: string): void;
}

/** Resolves with the exit code. */
export async function runHealthProbe(argv: readonly string[], environment: NodeJS.ProcessEnv, output: ProbeOutput): Promise<number> {
  const request = requestOf(argv);
  switch (request.kind) {
    case 'help':
      output.result(HEALTH_USAGE);
      return EXIT.healthy;
    case 'wrong':
      output.problem(`${request.why}\n\n${HEALTH_USAGE}`);
      return EXIT.usage;
    case 'ask':
      return ask(request, environment, output).catch((error: unknown) => {
        if (!(error instanceof UnusableFileError || error instanceof UnknownPortError)) throw error;
        output.problem(error.message);
        return EXIT.configuration;
      });
    default:
      return request satisfies never;
  }
}

class UnknownPortError extends Error {
  constructor(port: string) {
    super(`SLUICE_PORT is ${port}: the port in use cannot be known`);
    this.name = 'UnknownPortError';
  }
}

interface Question {
  readonly kind: 'ask';
  readonly service: ProbedService | undefined;
  readonly alive: boolean;
  readonly shown: ClientCertificate | undefined;
}

type ProbeRequest = Question | { readonly kind: 'help' } | { readonly kind: 'wrong'; readonly why: string };

async function ask({ service, alive, shown }: Question, environment: NodeJS.ProcessEnv, output: ProbeOutput): Promise<number> {
  const settings = probeSettings(environment);
  if (settings.port !== undefined && !PORT.test(settings.port)) throw new UnknownPortError(settings.port);
  const certificate = shownCertificate(settings, shown);
  const addresses = probeAddresses(settings, service);
  const answers = await Promise.all(addresses.map(async (address) => ({ address, ...(await probe(address, certificate)) })));
  const present = answers.filter(({ state }) => state !== 'ABSENT');
  const counted = present.length > 0 ? present : answers;
  for (const { address, state, detail } of counted) output.result(`${address} ${state}${detail === '' ? '' : ` (${detail})`}`);
  return Math.max(...counted.map(({ state }) => exitCodeOf(state, alive)));
}

function exitCodeOf(state: ProbeState, alive: boolean): number {
  switch (state) {
    case 'SERVING':
      return EXIT.healthy;
    case 'NOT_SERVING':
      return alive ? EXIT.healthy : EXIT.notServing;
    case 'SILENT':
    case 'ABSENT':
      return EXIT.noAnswer;
    default:
      return state satisfies never;
  }
}

const OPTIONS = {
  alive: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
  'tls-cert': { type: 'string' },
  'tls-key': { type: 'string' },
} as const;

function requestOf(argv: readonly string[]): ProbeRequest {
  const wrong = (why: string): ProbeRequest => ({ kind: 'wrong', why });
  try {
    const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS });
    const { alive, help, 'tls-cert': certificate, 'tls-key': key } = values;
    if (help) return { kind: 'help' };
    const [service, ...more] = positionals;
    if (more.length > 0) return wrong(`one service at most, not ${positionals.join(', ')}`);
    if (service !== undefined && !isProbedService(service)) return wrong(`"${service}" is not a service: ${PROBED_SERVICES.join(', ')}`);
    if ((certificate === undefined) !== (key === undefined)) return wrong('--tls-cert and --tls-key belong together');
    return { kind: 'ask', service, alive, shown: certificate === undefined || key === undefined ? undefined : { certificate, key } };
  } catch (error) {
    return wrong((error as Error).message);
  }
}

function isProbedService(name: string): name is ProbedService {
  return (PROBED_SERVICES as readonly string[]).includes(name);
}

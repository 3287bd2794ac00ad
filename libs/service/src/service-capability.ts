/** What a capability gives to every process: the settings and the metrics that it declares. */
import type { MetricTable } from '@sluice/telemetry';
import type { Settings } from './config/setting';

export interface ServiceCapability {
  /** "task". */
  readonly name: string;
  /** By the key in the file, which begins with the capability's name: "taskHandlers". Every process knows them, whether it uses them or not. */
  readonly settings: Settings;
  /** By their names, which begin with the capability's: "sluice.task.started". Absent: it has none. */
  readonly metrics?: MetricTable;
}

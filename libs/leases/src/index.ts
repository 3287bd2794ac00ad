export { evenShare, PartitionLeases, type PartitionLeasesOptions } from './partition-leases';

/** By mistake two deployments write one log: neither sees the leases of the other. */
import { deploymentOf } from './harness/strangers';
import { testFaults } from './harness/under-load';
import { ownersDisagree } from './strangers/owners-disagree';
import { twoOwners } from './strangers/two-owners';

testFaults({ environmentOf: (name) => ({ SLUICE_DEPLOYMENT: deploymentOf(name) }) }, [ownersDisagree, twoOwners]);

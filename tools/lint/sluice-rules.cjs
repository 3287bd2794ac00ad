/** Rules of this workspace, for the linter. */
module.exports = {
  meta: { name: 'sluice' },
  rules: { 'capability-boundaries': require('./capability-boundaries.cjs') },
};

/** Kind of the aggregate, as it is named where aggregates of all kinds are listed. */
export const ACCOUNT_AGGREGATE = 'account';

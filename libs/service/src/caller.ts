/**
 * Who calls, and what a caller may do.
 *
 *   post     commands: what changes accounts
 *   read     queries
 *   operate  status, rebuild, verification, the log
 *   peer     another instance of ours: what it says about whom it forwards for is believed
 */
export const ROLES = ['post', 'read', 'operate', 'peer'] as const;
export type Role = (typeof ROLES)[number];

export interface Caller {
  /** Stable name: of the token, the certificate or the subject; rates are counted by it. */
  readonly name: string;
  readonly roles: ReadonlySet<Role>;
}

/** Without authentication everybody is the same caller and may do everything. */
export const ANYBODY: Caller = Object.freeze({ name: 'anybody', roles: new Set(ROLES) });

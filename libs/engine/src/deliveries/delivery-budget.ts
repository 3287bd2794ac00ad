/** How long a target that answers may be unable to decide a delivery before it is a dead letter: both must be used up. */
export interface DeliveryBudget {
  readonly attempts: number;
  readonly milliseconds: number;
}

export const DEFAULT_DELIVERY_BUDGET: DeliveryBudget = { attempts: 10, milliseconds: 60_000 };

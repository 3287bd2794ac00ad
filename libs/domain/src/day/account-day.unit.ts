import fc from 'fast-check';
import { openedAccountDay, post, roll, ROLL_POLICIES, type AccountDay, type BusinessDates, type RollPolicy } from './account-day';

/** Friday, Monday, Tuesday: business dates are not always a day apart. */
const [T0, T1, T2, T3] = [100, 103, 104, 105] as const;
const BEHIND: Readonly<Record<number, BusinessDates>> = { [T1]: { date: T1, closed: T0 }, [T2]: { date: T2, closed: T1 }, [T3]: { date: T3, closed: T2 } };
const at = (date: number): BusinessDates => BEHIND[date] as BusinessDates;
const account: AccountDay = { balanceMinor: 500n, lastDayBalanceMinor: 400n, lastDayDate: T0 };

test.each`
  policy              | date  | lastDayDate | balanceMinor | lastDayBalanceMinor | lastDayAfter | dated | why
  ${'BEFORE_POSTING'} | ${T1} | ${T0}       | ${510n}      | ${400n}             | ${T0}        | ${T1} | ${'an ordinary posting changes the real-time balance alone'}
  ${'BEFORE_POSTING'} | ${T2} | ${T0}       | ${510n}      | ${500n}             | ${T1}        | ${T2} | ${'the first behind the cut rolls the account, and belongs to the new date'}
  ${'AFTER_POSTING'}  | ${T2} | ${T0}       | ${510n}      | ${510n}             | ${T1}        | ${T1} | ${'the first behind the cut belongs to the date that it closes'}
  ${'AFTER_POSTING'}  | ${T2} | ${T1}       | ${510n}      | ${400n}             | ${T1}        | ${T2} | ${'the sweep was first: the posting belongs to the new date'}
  ${'BEFORE_POSTING'} | ${T1} | ${T1}       | ${510n}      | ${410n}             | ${T1}        | ${T1} | ${'a leg of the date that has ended for the account changes both'}
  ${'AFTER_POSTING'}  | ${T1} | ${T1}       | ${510n}      | ${410n}             | ${T1}        | ${T1} | ${'a leg of the date that has ended for the account changes both'}
  ${'BEFORE_POSTING'} | ${T3} | ${T0}       | ${510n}      | ${500n}             | ${T2}        | ${T3} | ${'an account that no sweep reached closes every date at the same balance'}
`(
  '$policy: a posting of $date to an account closed at $lastDayDate: $why',
  ({ policy, date, lastDayDate, dated, balanceMinor, lastDayBalanceMinor, lastDayAfter }) => {
    expect(post({ ...account, lastDayDate }, policy as RollPolicy, at(date), 10n)).toEqual({
      account: { balanceMinor, lastDayBalanceMinor, lastDayDate: lastDayAfter },
      date: dated,
    });
  },
);

test('an account that is opened closes with nothing at the date before', () => {
  expect(openedAccountDay(at(T2))).toEqual({ balanceMinor: 0n, lastDayBalanceMinor: 0n, lastDayDate: T1 });
});

test('the day proof holds for any postings, late legs, sweeps and cuts: last-day(T) + postings dated T+1 = last-day(T+1)', () => {
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('post' as const), delta: fc.bigInt(-1_000n, 1_000n) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('late' as const), delta: fc.bigInt(-1_000n, 1_000n) }) },
    { weight: 2, arbitrary: fc.constant({ kind: 'sweep' as const, delta: 0n }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'cut' as const, delta: 0n }) },
  );
  fc.assert(
    fc.property(fc.constantFrom(...ROLL_POLICIES), fc.array(step, { maxLength: 60 }), (policy, steps) => {
      let online = 200;
      let state = openedAccountDay({ date: online, closed: online - 1 });
      const postings: { readonly date: number; readonly delta: bigint }[] = [];
      const closings = new Map<number, bigint>();
      const take = (dates: BusinessDates, delta: bigint): void => {
        const posted = post(state, policy, dates, delta);
        state = posted.account;
        postings.push({ date: posted.date, delta });
      };
      for (const { kind, delta } of steps) {
        if (kind === 'post') take({ date: online, closed: online - 1 }, delta);
        // A leg of the date before the cut. A batch waits for those, so that the sweep of the date before that is over.
        else if (kind === 'late' && state.lastDayDate >= online - 2) take({ date: online - 1, closed: online - 2 }, delta);
        else if (kind === 'sweep') state = roll(state, online - 1);
        else if (kind === 'cut') {
          state = roll(state, online - 1);
          closings.set(online - 1, state.lastDayBalanceMinor);
          online += 1;
        }
      }
      state = roll(roll(state, online - 1), online);
      closings.set(online, state.lastDayBalanceMinor);
      let closing = 0n;
      for (let date = 199; date <= online; date += 1) {
        for (const posting of postings) if (posting.date === date) closing += posting.delta;
        if (closings.has(date)) expect(closings.get(date)).toBe(closing);
      }
      expect(state.balanceMinor).toBe(closing);
    }),
  );
});

/** Which runs submit a task. Times are seconds; a run that is more than 10 s late was missed. */
import { type CatchUpRule, decideRuns, type OverlapRule } from './schedule';

const S = 1_000_000;

test.each`
  overlap     | catchUp     | buffered | due                  | live     | submits              | skipped | waits
  ${'SKIP'}   | ${'LATEST'} | ${false} | ${[100]}             | ${false} | ${[100]}             | ${0}    | ${false}
  ${'SKIP'}   | ${'LATEST'} | ${false} | ${[100]}             | ${true}  | ${[]}                | ${1}    | ${false}
  ${'BUFFER'} | ${'LATEST'} | ${false} | ${[100]}             | ${true}  | ${[]}                | ${0}    | ${true}
  ${'BUFFER'} | ${'LATEST'} | ${true}  | ${[100]}             | ${true}  | ${[]}                | ${1}    | ${true}
  ${'BUFFER'} | ${'LATEST'} | ${true}  | ${[]}                | ${false} | ${[100]}             | ${0}    | ${false}
  ${'BUFFER'} | ${'LATEST'} | ${true}  | ${[100]}             | ${false} | ${[100]}             | ${0}    | ${true}
  ${'ALLOW'}  | ${'LATEST'} | ${false} | ${[100]}             | ${true}  | ${[100]}             | ${0}    | ${false}
  ${'ALLOW'}  | ${'NONE'}   | ${false} | ${[70, 80, 100]}     | ${false} | ${[100]}             | ${2}    | ${false}
  ${'ALLOW'}  | ${'LATEST'} | ${false} | ${[60, 70, 80, 100]} | ${false} | ${[80, 100]}         | ${2}    | ${false}
  ${'ALLOW'}  | ${'ALL'}    | ${false} | ${[60, 70, 80, 100]} | ${false} | ${[60, 70, 80, 100]} | ${0}    | ${false}
  ${'SKIP'}   | ${'ALL'}    | ${false} | ${[60, 70, 80, 100]} | ${false} | ${[60]}              | ${3}    | ${false}
`(
  '$overlap, $catchUp: of $due with a run under way: $live',
  (row: {
    overlap: OverlapRule;
    catchUp: CatchUpRule;
    buffered: boolean;
    due: number[];
    live: boolean;
    submits: number[];
    skipped: number;
    waits: boolean;
  }) => {
    const { overlap, catchUp, buffered, due, live, submits, skipped, waits } = row;
    const schedule = { name: 's', overlap, catchUp, paused: false, nextRunsUs: [], lastNumber: 0, buffered };
    const decision = decideRuns(
      schedule,
      due.map((at) => at * S),
      0,
      live,
      100 * S,
    );
    expect({ ...decision, submit: decision.submit.map((at) => at / S) }).toEqual({ submit: submits, skipped, buffered: waits });
  },
);

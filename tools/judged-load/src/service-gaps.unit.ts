import { ServiceGaps } from './service-gaps';

type Event = 'tried' | 'acknowledged' | 'finished' | 'suspend' | 'resume' | 'restart';

/** Plays "MILLISECOND EVENT" on partition 0 of two; the callers' events of partition 1 never come. */
function play(script: readonly string[], endMs: number): { readonly longestMs: number; readonly notable: readonly number[] } {
  let nowMs = 0;
  const gaps = new ServiceGaps(2, () => nowMs);
  const suspensions: (() => void)[] = [];
  for (const line of script) {
    const [at, event] = line.split(' ') as [string, Event];
    nowMs = Number(at);
    if (event === 'suspend') suspensions.push(gaps.suspend(0));
    else if (event === 'resume') suspensions.pop()?.();
    else if (event === 'restart') gaps.restart();
    else gaps[event](0);
  }
  nowMs = endMs;
  return { longestMs: gaps.longest?.lengthMs ?? 0, notable: gaps.notable.map(({ lengthMs }) => lengthMs) };
}

test.each`
  what                                                        | script                                                                                         | endMs    | longestMs | notable
  ${'no caller: no gap'}                                      | ${[]}                                                                                          | ${9_000} | ${0}      | ${[]}
  ${'from the first try to the first acknowledgement'}        | ${['100 tried', '1600 acknowledged', '1600 finished']}                                         | ${9_000} | ${1_500}  | ${[1_500]}
  ${'the pause of the callers between two batches is no gap'} | ${['0 tried', '10 acknowledged', '10 finished', '5000 tried', '5010 acknowledged']}            | ${5_020} | ${10}     | ${[]}
  ${'between two acknowledgements while a caller waits'}      | ${['0 tried', '10 acknowledged', '2010 acknowledged', '2010 finished']}                        | ${9_000} | ${2_000}  | ${[2_000]}
  ${'another caller of the partition is served'}              | ${['0 tried', '0 tried', '500 acknowledged', '500 finished', '900 acknowledged']}              | ${900}   | ${500}    | ${[]}
  ${'one that lasts'}                                         | ${['0 tried', '10 acknowledged']}                                                              | ${3_010} | ${3_000}  | ${[3_000]}
  ${'suspended: each stretch by itself'}                      | ${['0 tried', '1500 suspend', '8000 resume', '9200 acknowledged', '9200 finished']}            | ${9_500} | ${1_500}  | ${[1_500, 1_200]}
  ${'suspended twice: until both are over'}                   | ${['0 suspend', '0 suspend', '0 tried', '4000 resume', '8000 resume', '8100 acknowledged']}    | ${8_100} | ${100}    | ${[]}
  ${'a caller that comes during a suspension'}                | ${['0 suspend', '100 tried', '6000 resume', '7100 acknowledged', '7100 finished']}             | ${9_000} | ${1_100}  | ${[1_100]}
  ${'restarted: what was before is forgotten'}                | ${['0 tried', '4000 acknowledged', '6000 restart', '7100 acknowledged', '7100 finished']}      | ${9_000} | ${1_100}  | ${[1_100]}
  ${'several'}                                                | ${['0 tried', '1000 acknowledged', '3000 acknowledged', '4500 acknowledged', '4500 finished']} | ${9_000} | ${2_000}  | ${[1_000, 2_000, 1_500]}
`('$what', ({ script, endMs, longestMs, notable }: { script: string[]; endMs: number; longestMs: number; notable: number[] }) => {
  expect(play(script, endMs)).toEqual({ longestMs, notable });
});

test('names the partition and the beginning of the longest gap', () => {
  let nowMs = 0;
  const gaps = new ServiceGaps(2, () => nowMs);
  const resume = gaps.suspendAll();
  gaps.tried(1);
  nowMs = 50;
  resume();
  nowMs = 80;
  gaps.acknowledged(1);
  gaps.finished(1);
  expect(gaps.longest).toEqual({ partition: 1, sinceMs: 50, lengthMs: 30 });
});

test('a resumption counts once', () => {
  const gaps = new ServiceGaps(1, () => 0);
  const first = gaps.suspend(0);
  gaps.suspend(0);
  first();
  first();
  gaps.tried(0);
  expect(gaps.longest).toBeUndefined();
});

/** Whose share of a contended queue a call takes. */
import { type AnyCall, CallContext, GatheredCall, LocalCall } from './call-context';
import { ANYBODY, type Caller } from './caller';

const named: Caller = { name: 'gifts', roles: new Set(['post']) };

function from(getPeer: () => string): AnyCall {
  return { getPeer } as AnyCall;
}

test.each`
  of                                                  | call                                          | identity
  ${'a verified caller, whatever its connection'} | ${new CallContext(from(() => '127.0.0.1:7'), named)} | ${'gifts'}
  ${'a verified caller for whom a peer forwards'} | ${new CallContext(from(() => '127.0.0.1:8'), named, 3)} | ${'gifts'}
  ${'nobody in particular: its connection'}           | ${new CallContext(from(() => '127.0.0.1:7'))} | ${'127.0.0.1:7'}
  ${'nobody in particular, whose connection is gone'} | ${new CallContext(from(() => {
    throw new Error('the session has been destroyed');
  }))} | ${''}
  ${'calls that are gathered for a caller'}           | ${new GatheredCall(named, 0)}                 | ${'gifts'}
  ${'a call in the process for nobody in particular'} | ${new LocalCall(ANYBODY, 3, 0)}               | ${''}
`('$of', ({ call, identity }: { call: CallContext; identity: string }) => {
  expect(call.identity).toBe(identity);
});

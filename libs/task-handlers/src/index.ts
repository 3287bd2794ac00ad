/** Handlers of tasks by module, in threads that can be ended: for the client library's worker and for the server's own process. */
export { failureOf, type HandlerOutcome } from './handler-outcome';
export { HandlerThreads, type ThreadRun } from './handler-threads';
export { type HandlerTask, handlerTaskOf } from './handler-task';

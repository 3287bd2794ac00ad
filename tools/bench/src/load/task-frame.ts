/** A CreateTaskRequest that is encoded once and sent many times with other ids; see request-frame.ts. */
import { taskpb } from '@sluice/protocol/task';
import { REQUEST_ID_PLACEHOLDER, type RequestIds } from './request-ids';

const PAYLOAD = Buffer.from(JSON.stringify({ at: 0 }), 'utf8');

export class TaskFrame {
  private readonly bytes: Buffer;
  private readonly requestIdOffset: number;

  constructor(queue: string, type: string) {
    const task = { type, payload: PAYLOAD, contentType: 'application/json' };
    const request = taskpb.CreateTaskRequest.fromPartial({ requestId: REQUEST_ID_PLACEHOLDER, queue, task });
    this.bytes = Buffer.from(taskpb.CreateTaskRequest.encode(request).finish());
    this.requestIdOffset = this.bytes.indexOf(REQUEST_ID_PLACEHOLDER);
  }

  /** The next request, over the one before. */
  next(ids: RequestIds): Buffer {
    ids.writeNext(this.bytes, this.requestIdOffset);
    return this.bytes;
  }
}

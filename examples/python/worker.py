#!/usr/bin/env python3
"""A worker: takes tasks of a queue over one stream, runs a function for each, and reports.

Needs: pip install grpcio grpcio-reflection. No generated code: the messages come from the server itself.
Usage: worker.py QUEUE [HOST:PORT]
SIGTERM and Ctrl-C end it as soon as the tasks that it has are done and reported.
"""

import json
import os
import queue
import signal
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

METHOD = "/sluice.task.v1.TaskWorkerService/Work"
CAPACITY = 10
BEAT_S = 0.05
RETRYABLE_CALLS = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.CANCELLED}


class PermanentError(Exception):
    """Trying again would not help."""


class Task:
    """A task under way. A handler looks at `stopped` now and then: nothing can end a thread in Python."""

    def __init__(self, assigned, lease):
        self.id, self.type, self.attempt, self.payload = assigned.task_id, assigned.spec.type, assigned.attempt, assigned.spec.payload
        self.lease = lease
        self.stopped = threading.Event()
        self.news = None
        self.beat_every_s = assigned.heartbeat_every_ms / 1000
        self.next_beat = time.monotonic() + self.beat_every_s
        self.ends_at = time.monotonic() + assigned.time_left_ms / 1000 if assigned.time_left_ms else None

    def progress(self, done, total=0, text=""):
        self.news = {"done": done, "total": total, "text": text}
        self.next_beat = min(self.next_beat, time.monotonic() + 0.25)


class Worker:
    def __init__(self, channel, queue_name, handlers):
        self.channel, self.queue_name, self.handlers = channel, queue_name, handlers
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))
        self.running = {}  # by lease token: goes on while the stream is cut
        self.unanswered = {}  # reports by lease token: sent until the server has answered them
        self.outbox = queue.SimpleQueue()
        self.draining = False
        self.tally = {"succeeded": 0, "failed": 0, "stopped": 0}
        self.threads = ThreadPoolExecutor(CAPACITY)

    def message(self, name, **fields):
        return GetMessageClass(self.pool.FindMessageTypeByName(f"sluice.task.v1.{name}"))(**fields)

    def send(self, **parts):
        self.outbox.put(self.message("WorkRequest", **parts))

    def run(self):
        """Returns when it has drained."""
        threading.Thread(target=self.beat, daemon=True).start()
        pause_s = 0.05
        while True:
            try:
                # A message for a stream that was cut is lost: reports are sent again, signs of life follow.
                self.outbox.put(None)
                self.outbox = queue.SimpleQueue()
                held = [task.lease for task in list(self.running.values())]
                subscription = {"worker_id": f"python-{os.getpid()}", "queues": [self.queue_name], "types": list(self.handlers), "capacity": CAPACITY, "held": held}
                self.send(subscription=subscription)
                stream = self.channel.stream_stream(
                    METHOD,
                    request_serializer=lambda message: message.SerializeToString(),
                    response_deserializer=GetMessageClass(self.pool.FindMessageTypeByName("sluice.task.v1.WorkResponse")).FromString,
                )
                for response in stream(iter(self.outbox.get, None)):
                    self.take(response)
                    pause_s = 0.05
                return
            except grpc.RpcError as error:
                if error.code() not in RETRYABLE_CALLS:
                    raise
                time.sleep(pause_s)
                pause_s = min(2, 2 * pause_s)

    def take(self, response):
        if response.subscribed:
            for report in list(self.unanswered.values()):
                self.send(**report)
            if self.draining:
                self.send(draining=True)
        for assigned in response.tasks:
            task = Task(assigned, self.message("Lease", task_id=assigned.task_id, lease_token=assigned.lease_token))
            self.running[assigned.lease_token] = task
            self.threads.submit(self.handle, task)
        for stop in response.stops:
            self.stop(stop.lease.lease_token)
        for verdict in response.verdicts:
            if verdict.reason == "UNAVAILABLE":
                # Nothing is recorded, or it is not known.
                threading.Timer(0.2, self.send_again, [verdict.lease.lease_token]).start()
            else:
                self.unanswered.pop(verdict.lease.lease_token, None)

    def handle(self, task):
        try:
            result = json.dumps(self.handlers[task.type](task)).encode()
            report = {"completions": [{"lease": task.lease, "result": {"body": result, "content_type": "application/json"}}]}
            outcome = "succeeded"
        except Exception as error:
            report = {"failings": [{"lease": task.lease, "message": str(error), "permanent": isinstance(error, PermanentError)}]}
            outcome = "failed"
        # What a task that was stopped brings is not wanted.
        if self.running.pop(task.lease.lease_token, None) is not None:
            self.tally[outcome] += 1
            self.unanswered[task.lease.lease_token] = report
            self.send(**report)

    def send_again(self, token):
        report = self.unanswered.get(token)
        if report is not None:
            self.send(**report)

    def stop(self, token):
        task = self.running.pop(token, None)
        if task is not None:
            self.tally["stopped"] += 1
            task.stopped.set()

    def beat(self):
        while True:
            time.sleep(BEAT_S)
            now = time.monotonic()
            heartbeats = []
            for token, task in list(self.running.items()):
                if task.ends_at is not None and task.ends_at <= now:
                    self.stop(token)  # its time is over, also where the server cannot say so
                elif task.next_beat <= now:
                    task.next_beat = now + task.beat_every_s
                    news, task.news = task.news, None
                    heartbeats.append({"lease": task.lease, **({"progress": news} if news else {})})
            if heartbeats:
                self.send(heartbeats=heartbeats)

    def drain(self, *_signal):
        self.draining = True
        self.send(draining=True)


# ---- what the tasks are ----


def count_words(task):
    words = task.payload.decode().split()
    for number, _word in enumerate(words, 1):
        task.progress(number, len(words), "counting")
    return {"words": len(words)}


def parse(task):
    try:
        return json.loads(task.payload)
    except ValueError as error:
        raise PermanentError(f"the payload is not JSON: {error}") from error


def wait(task):
    task.progress(0, 1, "waiting")
    task.stopped.wait()


def main():
    target = sys.argv[2] if len(sys.argv) > 2 else "127.0.0.1:7400"
    with grpc.insecure_channel(target) as channel:
        worker = Worker(channel, sys.argv[1], {"count-words": count_words, "parse": parse, "wait": wait})
        signal.signal(signal.SIGTERM, worker.drain)
        signal.signal(signal.SIGINT, worker.drain)
        worker.run()
        print(json.dumps(worker.tally))


if __name__ == "__main__":
    main()

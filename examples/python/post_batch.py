#!/usr/bin/env python3
"""Posts a batch and sends again, with the same request ids, the items whose outcome is unknown.

Needs: pip install grpcio grpcio-reflection. No generated code: the messages come from the server itself.
Usage: post_batch.py [HOST:PORT]
"""

import random
import sys
import time
import uuid

import grpc
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

SERVICE = "sluice.account.v1.AccountCommandService"
DEADLINE_S = 30

# What a repeat with the same request id may mend: nothing was done, or what was done is answered again.
RETRYABLE_CALLS = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.RESOURCE_EXHAUSTED}
RETRYABLE_ITEMS = {"PARTITION_UNAVAILABLE", "SHUTTING_DOWN", "STARTING", "QUEUE_FULL", "DEADLINE_EXCEEDED"}


class CommandService:
    def __init__(self, channel):
        self.channel = channel
        self.pool = DescriptorPool(ProtoReflectionDescriptorDatabase(channel))

    def message(self, name, **fields):
        return GetMessageClass(self.pool.FindMessageTypeByName(f"sluice.account.v1.{name}"))(**fields)

    def call(self, method, request, deadline_s):
        described = self.pool.FindServiceByName(SERVICE).FindMethodByName(method)
        response = GetMessageClass(described.output_type)
        stub = self.channel.unary_unary(
            f"/{SERVICE}/{method}",
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=response.FromString,
        )
        return stub(request, timeout=deadline_s)


def post_all(service, postings, deadline_s=DEADLINE_S):
    """The result of each posting, in order. Raises TimeoutError with the request ids that have none in time."""
    results = [None] * len(postings)
    open_items = list(range(len(postings)))
    give_up = time.monotonic() + deadline_s
    pause_s = 0.02
    while open_items:
        left_s = give_up - time.monotonic()
        if left_s <= 0:
            raise TimeoutError(f"the outcome is unknown: {[postings[item].request_id for item in open_items]}")
        again = []
        try:
            request = service.message("PostBatchRequest", postings=[postings[item] for item in open_items])
            answered = service.call("PostBatch", request, left_s).results
            for item, result in zip(open_items, answered):
                # The call is OK, and yet an item of it may have found its partition between two owners.
                if result.HasField("error") and result.error.reason in RETRYABLE_ITEMS:
                    again.append(item)
                else:
                    results[item] = result
        except grpc.RpcError as error:
            if error.code() not in RETRYABLE_CALLS:
                raise
            again = open_items
        open_items = again
        if open_items:
            time.sleep(pause_s * (0.5 + random.random() / 2))
            pause_s = min(1, pause_s * 2)
    return results


def main():
    target = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1:7400"
    with grpc.insecure_channel(target) as channel:
        service = CommandService(channel)
        run = uuid.uuid4().hex[:8]
        accounts = [f"python-{run}-{number}" for number in range(8)]
        openings = [service.message("AccountOpening", request_id=f"open-{account}", account_id=account, unit="EUR") for account in accounts]
        service.call("OpenAccounts", service.message("OpenAccountsRequest", accounts=openings), DEADLINE_S)
        credit = service.pool.FindEnumTypeByName("sluice.account.v1.PostingType").values_by_name["POSTING_TYPE_CREDIT"].number
        postings = [
            service.message("Posting", request_id=f"{run}-{number}", account_id=accounts[number % 8], type=credit, amount_minor=1, unit="EUR")
            for number in range(200)
        ]
        results = post_all(service, postings)
        accepted = sum(1 for result in results if not result.HasField("error"))
        print(f"accepted {accepted} of {len(results)}; balances {sorted(result.balance_after_minor for result in results[-8:])}")
        repeats = post_all(service, postings)
        print(f"repeated {sum(1 for result in repeats if result.repeated)} of {len(repeats)}")


if __name__ == "__main__":
    main()

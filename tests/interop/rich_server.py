"""Answers the parcel service with the rich errors of Python's grpcio and grpcio-status.

    python rich_server.py

Prints its port, and serves until its standard input ends. The field `fails` of a request names the error that is
wanted; `tests/peers_errors.rs` has what our client makes of it.
"""

import sys
from concurrent import futures

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

import parcels

pb, pb_grpc, _ = parcels.load()

DETAILS = "grpc-status-details-bin"


def info(domain: str, reason: str, **metadata: str) -> error_details_pb2.ErrorInfo:
    """Why a call failed, for programs."""
    return error_details_pb2.ErrorInfo(domain=domain, reason=reason, metadata=metadata)


def rich(code: str, message: str, *details) -> status_pb2.Status:
    """A status with these messages as its details."""
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=message)
    for detail in details:
        if isinstance(detail, any_pb2.Any):
            status.details.append(detail)
        else:
            status.details.add().Pack(detail)
    return status


def garbage(name: str) -> any_pb2.Any:
    """A detail of this type that doesn't decode: its first field is no UTF-8."""
    return any_pb2.Any(type_url=f"type.googleapis.com/google.rpc.{name}", value=b"\x0a\x02\xff\xfe")


HELP = error_details_pb2.Help(links=[error_details_pb2.Help.Link(description="the rules", url="https://example.com")])
QUOTA = error_details_pb2.QuotaFailure(violations=[error_details_pb2.QuotaFailure.Violation(subject="parcels")])
FIELDS = error_details_pb2.BadRequest(field_violations=[
    error_details_pb2.BadRequest.FieldViolation(field="weight", description="is negative"),
    error_details_pb2.BadRequest.FieldViolation(field="id", description="is taken"),
])
DELAY = error_details_pb2.RetryInfo(retry_delay=duration_pb2.Duration(seconds=1, nanos=500_000_000))
CALL = error_details_pb2.RequestInfo(request_id="request-1", serving_data="serving-1")
LOST = info(parcels.DOMAIN, "PARCEL_LOST", id="p-1")
STRANGE = "Päckchen „1“\n100 % 📦"

STATUSES = {
    "own": rich("NOT_FOUND", "parcel p-1 is lost", LOST, CALL),
    # Another code than the catalogue's: a server may override it.
    "own with another code": rich("ABORTED", "it is lost", LOST),
    "own with strange text": rich("NOT_FOUND", STRANGE, info(parcels.DOMAIN, "PARCEL_LOST", id=STRANGE)),
    "own without its metadata": rich("NOT_FOUND", "it is lost", info(parcels.DOMAIN, "PARCEL_LOST")),
    "own with more metadata": rich("NOT_FOUND", "it is lost", info(parcels.DOMAIN, "PARCEL_LOST", id="p-1", shelf="3")),
    "own among others": rich("NOT_FOUND", "it is lost", HELP, garbage("BadRequest"), LOST, QUOTA),
    "own by another prefix": rich("NOT_FOUND", "it is lost", any_pb2.Any(
        type_url="example.com/types/google.rpc.ErrorInfo", value=LOST.SerializeToString(),
    )),
    # The first one counts.
    "two reasons": rich("NOT_FOUND", "it is lost", LOST, info(parcels.DOMAIN, "TOO_HEAVY", weight="1", limit="2")),
    "common": rich("INVALID_ARGUMENT", "not a parcel", info("apibase", "VALIDATION"), FIELDS),
    "common with a delay": rich("RESOURCE_EXHAUSTED", "slower", info("apibase", "RATE_LIMIT"), DELAY),
    "common and already retried": rich("UNAVAILABLE", "the depot is away", info("apibase", "EXTERNAL_SERVICE")),
    "common of a newer runtime": rich("DATA_LOSS", "all gone", info("apibase", "EATEN_BY_DOG", dog="Rex"), HELP),
    "a newer reason": rich("ABORTED", "it is wet", info(parcels.DOMAIN, "TOO_WET", rain="much"), HELP, QUOTA),
    "another domain": rich("NOT_FOUND", "no pet", info("pets.example.com", "PARCEL_LOST"), FIELDS, DELAY, CALL),
    "no reason": rich("INVALID_ARGUMENT", "just wrong", FIELDS, QUOTA),
    "a reason that does not decode": rich("NOT_FOUND", "garbled", garbage("ErrorInfo"), FIELDS),
    "no details in a status": rich("OUT_OF_RANGE", "too far"),
    "large": rich("NOT_FOUND", "it is lost", LOST, error_details_pb2.DebugInfo(detail="x" * 5000)),
}

# Details that are no status at all, or one of another call: code, message, bytes.
RAW = {
    "details that do not decode": ("NOT_FOUND", "junk", b"\xff\xff\xff"),
    "empty details": ("NOT_FOUND", "nothing", b""),
    "details of another call": ("UNAVAILABLE", "the proxy says no", STATUSES["own"].SerializeToString()),
}


class Answer(grpc.Status):
    """A status for `abort_with_status`, of which `rpc_status.to_status` knows nothing."""

    def __init__(self, code: str, message: str, *trailers: tuple[str, str | bytes]) -> None:
        self.code = getattr(grpc.StatusCode, code)
        self.details = message
        self.trailing_metadata = trailers


class Parcels:
    """The servicer: each method fails when it meets a parcel that wants it to."""

    def Put(self, request, context):
        fail(request, context)
        return request

    def Unpack(self, request, context):
        yield pb.Parcel(id=request.id, weight=1)
        yield pb.Parcel(id=request.id, weight=2)
        fail(request, context)

    def PutAll(self, requests, context):
        count = 0
        for request in requests:
            fail(request, context)
            count += 1
        return pb.Stored(count=count)

    def Weigh(self, requests, context):
        for request in requests:
            fail(request, context)
            yield request


def fail(request, context) -> None:
    """Ends the call, if the request wants that."""
    name = request.fails
    if not name:
        return
    if name == "plain":
        context.abort(grpc.StatusCode.ABORTED, "version race")
    elif name in RAW:
        code, message, details = RAW[name]
        context.abort_with_status(Answer(code, message, (DETAILS, details)))
    elif name == "common and already retried":
        details = STATUSES[name].SerializeToString()
        trailers = ((DETAILS, details), ("grpc-retry-pushback-ms", "-1"))
        context.abort_with_status(Answer("UNAVAILABLE", STATUSES[name].message, *trailers))
    else:
        context.abort_with_status(rpc_status.to_status(STATUSES[name]))


def main() -> None:
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
    pb_grpc.add_ParcelServiceServicer_to_server(Parcels(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)
    server.start()
    sys.stdin.read()
    server.stop(grace=None).wait()


if __name__ == "__main__":
    main()

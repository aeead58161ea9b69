"""Reads the errors of our server with Python's grpcio and grpcio-status, as its users would.

    python errors.py HOST:PORT

The server is that of `tests/peers_errors.rs`: the field `fails` of a request names the error that is wanted. Exits
with 1 on the first surprise.
"""

import sys

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

import parcels

pb, pb_grpc, errors_pb2 = parcels.load()

ID = "6f2b5ff4-9c21-4d0e-8c3e-0d9a3a1c5e01"
TRACE = "0af7651916cd43dd8448eb211c80319c"
METADATA = (
    ("x-correlation-id", "correlation-1"),
    ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01"),
)
# What must never leave the server, wherever it was planted.
SECRETS = ["hunter2", "B-UG 1234", "/var/lib/secret"]


class Failed:
    """A failed call, with all that the trailers say."""

    def __init__(self, error: grpc.RpcError) -> None:
        self.code = error.code()
        self.message = error.details()
        self.trailers = dict(error.trailing_metadata())
        size = sum(len(key) + len(value) + 32 for key, value in error.trailing_metadata())
        assert size <= 8192, f"{size} bytes of trailers"
        # This refuses a status whose code or message is not that of the call.
        self.status = rpc_status.from_call(error)
        self.details = {}
        for detail in self.status.details if self.status else ():
            name = detail.type_url.removeprefix("type.googleapis.com/google.rpc.")
            assert name not in self.details, f"{name} twice"
            self.details[name] = getattr(error_details_pb2, name).FromString(detail.value)
        self.info = self.details.get("ErrorInfo")
        self.detail = None
        if "error-detail-bin" in self.trailers:
            self.detail = errors_pb2.ErrorDetail.FromString(self.trailers["error-detail-bin"])

    def text(self) -> str:
        """All of it, to look for what must not be there."""
        return f"{self.code} {self.message} {self.details} {self.detail} {self.trailers}"

    def check(self, code: str, domain: str, reason: str, metadata: dict, message: str, kind: str) -> None:
        """What every error has. `kind` is the `code` of `common.ErrorDetail`."""
        said = (self.code.name, self.info.domain, self.info.reason, dict(self.info.metadata), self.message)
        assert said == (code, domain, reason, metadata, message), said
        assert (self.detail.code, self.detail.message) == (kind, message), self.detail
        assert dict(self.detail.metadata) == {**metadata, "trace_id": TRACE}, self.detail
        call = self.details["RequestInfo"]
        assert (call.request_id, call.serving_data) == ("correlation-1", TRACE), call

    def check_own(self, code: str, reason: str, metadata: dict, message: str) -> None:
        """An error of the service's catalogue."""
        self.check(code, parcels.DOMAIN, reason, metadata, message, reason)

    def check_redacted(self, code: str, domain: str, reason: str, kind: str) -> None:
        """An error of which callers are told an id."""
        error_id = self.info.metadata["error_id"]
        assert len(error_id) == 32, error_id
        message = f"the call failed; the server's log has why, under the error id {error_id}"
        self.check(code, domain, reason, {"error_id": error_id}, message, kind)
        assert set(self.details) == {"ErrorInfo", "RequestInfo"}, self.details


def parcel(fails: str, id: str = ID) -> pb.Parcel:
    """A parcel that wants this error; none when empty."""
    return pb.Parcel(id=id, weight=7, fails=fails)


def failed(call) -> Failed:
    """The error of a call that must fail."""
    try:
        reply = call()
    except grpc.RpcError as error:
        failure = Failed(error)
        for secret in SECRETS:
            assert secret not in failure.text(), failure.text()
        return failure
    raise AssertionError(f"there is a reply: {reply}")


def check_catalogue(put) -> None:
    put("PARCEL_LOST").check_own("NOT_FOUND", "PARCEL_LOST", {"id": "p-1"}, "parcel p-1 is lost")

    heavy = {"weight": "90000", "limit": "30000"}
    put("TOO_HEAVY").check_own("FAILED_PRECONDITION", "TOO_HEAVY", heavy, "90000 g are more than 30000 g")

    # Text that headers don't take as it is.
    strange = "Päckchen „1“\n100 % 📦"
    put("STRANGE").check_own("NOT_FOUND", "PARCEL_LOST", {"id": strange}, f"parcel {strange} is lost")

    # One that the method doesn't declare goes out all the same.
    full = put("VAN_FULL")
    full.check_own("UNAVAILABLE", "VAN_FULL", {}, "van full")
    assert full.details["RetryInfo"].retry_delay.ToMilliseconds() == 2000, full.details
    assert full.trailers["grpc-retry-pushback-ms"] == "2000", full.trailers

    seized = put("SEIZED")
    seized.check_own("PERMISSION_DENIED", "SEIZED", {"officer": "Krause"}, "seized by the customs")

    put("VAN_BROKEN").check_redacted("INTERNAL", parcels.DOMAIN, "VAN_BROKEN", "VAN_BROKEN")


def check_common(put) -> None:
    wrong = put("VALIDATION")
    wrong.check("INVALID_ARGUMENT", "apibase", "VALIDATION", {}, "not a parcel", "ValidationError")
    violations = [(each.field, each.description) for each in wrong.details["BadRequest"].field_violations]
    assert violations == [("weight", "is negative"), ("id", "is taken")], violations
    assert wrong.detail.field == "weight", wrong.detail

    slow = put("RATE_LIMIT")
    slow.check("RESOURCE_EXHAUSTED", "apibase", "RATE_LIMIT", {}, "slower", "RateLimitError")
    assert slow.details["RetryInfo"].retry_delay.ToMilliseconds() == 1500, slow.details
    assert slow.trailers["grpc-retry-pushback-ms"] == "1500", slow.trailers

    behind = put("EXTERNAL_SERVICE")
    behind.check("UNAVAILABLE", "apibase", "EXTERNAL_SERVICE", {}, "the depot is away", "ExternalServiceError")
    assert behind.trailers["grpc-retry-pushback-ms"] == "-1", behind.trailers

    for name, code, kind in [
        ("NOT_FOUND", "NOT_FOUND", "NotFoundError"),
        ("UNAUTHORIZED", "UNAUTHENTICATED", "UnauthorizedError"),
        ("FORBIDDEN", "PERMISSION_DENIED", "ForbiddenError"),
        ("CONFLICT", "ALREADY_EXISTS", "ConflictError"),
        ("TIMEOUT", "DEADLINE_EXCEEDED", "TimeoutError"),
    ]:
        put(name).check(code, "apibase", name, {}, name, kind)

    put("DATABASE").check_redacted("INTERNAL", "apibase", "DATABASE", "DatabaseError")

    # More than trailers can hold: the rest of it arrives, and it is a status that grpcio takes.
    many = put("OVERSIZED")
    sent = many.details["BadRequest"].field_violations
    assert 1 <= len(sent) < 1000 and sent[0].field == "parts[0]", len(sent)
    assert (many.info.reason, many.detail.code) == ("VALIDATION", "ValidationError"), many.text()


def check_others(put) -> None:
    # A request that no entity is made of, before the servicer hears of it.
    wrong = put("", id="no uuid")
    assert (wrong.code.name, wrong.info.reason) == ("INVALID_ARGUMENT", "VALIDATION"), wrong.text()
    assert [each.field for each in wrong.details["BadRequest"].field_violations] == ["id"], wrong.details

    # A status as it stands.
    raw = put("RAW")
    assert (raw.code.name, raw.message, raw.status) == ("ABORTED", "version race", None), raw.text()

    panicked = put("PANIC")
    assert (panicked.code.name, panicked.info.domain) == ("INTERNAL", "apibase"), panicked.text()
    assert panicked.info.metadata["error_id"] in panicked.message, panicked.text()


def check_streams(stub) -> None:
    """Errors after messages, in the three kinds that stream."""
    replies, seen = stub.Unpack(parcel("PARCEL_LOST"), metadata=METADATA), []
    lost = failed(lambda: [seen.append(reply) for reply in replies])
    assert len(seen) == 2, seen
    lost.check_own("NOT_FOUND", "PARCEL_LOST", {"id": "p-1"}, "parcel p-1 is lost")

    seen.clear()
    replies = stub.Unpack(parcel("VAN_BROKEN"), metadata=METADATA)
    broken = failed(lambda: [seen.append(reply) for reply in replies])
    assert len(seen) == 2, seen
    broken.check_redacted("INTERNAL", parcels.DOMAIN, "VAN_BROKEN", "VAN_BROKEN")

    heavy = {"weight": "90000", "limit": "30000"}
    requests = [parcel(""), parcel("TOO_HEAVY"), parcel("")]
    stored = failed(lambda: stub.PutAll(iter(requests), metadata=METADATA))
    stored.check_own("FAILED_PRECONDITION", "TOO_HEAVY", heavy, "90000 g are more than 30000 g")

    seen.clear()
    replies = stub.Weigh(iter(requests), metadata=METADATA)
    weighed = failed(lambda: [seen.append(reply) for reply in replies])
    assert len(seen) == 1, seen
    weighed.check_own("FAILED_PRECONDITION", "TOO_HEAVY", heavy, "90000 g are more than 30000 g")


def main() -> None:
    with grpc.insecure_channel(sys.argv[1]) as channel:
        grpc.channel_ready_future(channel).result(timeout=20)
        stub = pb_grpc.ParcelServiceStub(channel)

        def put(fails: str, id: str = ID) -> Failed:
            return failed(lambda: stub.Put(parcel(fails, id), metadata=METADATA))

        assert stub.Put(parcel(""), metadata=METADATA) == parcel("")
        check_catalogue(put)
        check_common(put)
        check_others(put)
        check_streams(stub)
        # The server has outlived all of it.
        assert stub.Put(parcel(""), metadata=METADATA) == parcel("")
    print(f"Python grpcio {grpc.__version__}: every error of the parcel service")


if __name__ == "__main__":
    main()

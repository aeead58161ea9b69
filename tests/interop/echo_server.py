"""Serves the echo service of the end-to-end tests by Python's grpcio.

    python echo_server.py [NAME=VALUE]…

The arguments are options of grpcio's server, whose values are numbers. Prints its port, then `waiting` for each
request that wants to wait, and `cancelled METHOD` for each call that was over before it was answered. `replace` on its standard input starts another server on the same
port before the first one is stopped, `restart` after that; both answer `done`. Serves until its input ends.
`tests/peers_python_server.rs` has what our client makes of it.
"""

import pathlib
import sys
import tempfile
import threading
import time
from concurrent import futures

import grpc
from google.protobuf import duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]

# How long a server that stops waits for its calls, and how long nobody listens in a restart.
GRACE, GAP = 10, 0.3


def load():
    """The messages and stubs of the echo service."""
    with tempfile.TemporaryDirectory() as folder:
        include = ROOT / "tests/fixtures/tonic_echo"
        well_known = pathlib.Path(protoc.__file__).parent / "_proto"
        code = protoc.main([
            "protoc", f"-I{include}", f"-I{well_known}", f"--python_out={folder}", f"--grpc_python_out={folder}",
            "echo.proto",
        ])
        assert code == 0, "protoc failed"
        sys.path.insert(0, folder)
        import echo_pb2
        import echo_pb2_grpc

    return echo_pb2, echo_pb2_grpc


pb, pb_grpc = load()

SAYING = threading.Lock()


def say(text) -> None:
    """A line for the test."""
    with SAYING:
        print(text, flush=True)


class Watch:
    """Tells of a call that is over before it was answered."""

    def __init__(self, context, method: str) -> None:
        self.answered, self.over = False, threading.Event()

        def ended() -> None:
            if not self.answered:
                say(f"cancelled {method}")
            self.over.set()

        if not context.add_callback(ended):
            ended()


def refuse(context, code: str, reason: str, **metadata: str) -> None:
    """Ends the call with one of the errors that all services have."""
    status = status_pb2.Status(code=code_pb2.Code.Value(code), message=f"by Python: {reason}")
    status.details.add().Pack(error_details_pb2.ErrorInfo(domain="apibase", reason=reason, metadata=metadata))
    if reason == "VALIDATION":
        status.details.add().Pack(error_details_pb2.BadRequest(field_violations=[
            error_details_pb2.BadRequest.FieldViolation(field="payload", description="is empty"),
        ]))
    if reason == "RATE_LIMIT":
        delay = duration_pb2.Duration(seconds=1, nanos=500_000_000)
        status.details.add().Pack(error_details_pb2.RetryInfo(retry_delay=delay))
    context.abort_with_status(rpc_status.to_status(status))


def behave(request, context, watch: Watch) -> bytes:
    """Does what the request wants beside an echo, and returns what it is to be answered with."""
    match request.behaviour.split():
        case []:
            return request.payload
        case ["metadata"]:
            context.send_initial_metadata((("x-header", "h1"), ("x-header", "h2"), ("x-header-bin", b"\x00\xff")))
            context.set_trailing_metadata((("x-trailer", "t"), ("x-trailer-bin", b"\xfe\x01")))
            seen = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]
            return "\n".join(f"{key}={value!r}" for key, value in seen).encode()
        case ["remaining"]:
            return str(int(context.time_remaining() * 1000)).encode()
        case ["wait"]:
            say("waiting")
            watch.over.wait()
            return b""
        case ["fail", code, reason]:
            watch.answered = True
            refuse(context, code, reason)
        case other:
            raise AssertionError(f"no behaviour is called {other}")


class Echo(pb_grpc.EchoServiceServicer):
    """Answers as `echo.proto` says."""

    def Echo(self, request, context):
        watch = Watch(context, "Echo")
        payload = behave(request, context, watch)
        watch.answered = True
        return pb.EchoReply(payload=payload)

    def Count(self, request, context):
        watch = Watch(context, "Count")
        for number in range(request.count):
            if request.HasField("fail_after") and number == request.fail_after:
                watch.answered = True
                refuse(context, "NOT_FOUND", "NOT_FOUND")
            yield pb.EchoReply(number=number)
        watch.answered = True

    def Collect(self, requests, context):
        watch, payloads, count = Watch(context, "Collect"), b"", 0
        for request in requests:
            payloads += behave(request, context, watch)
            count += 1
        watch.answered = True
        return pb.CollectReply(count=count, payloads=payloads)

    def Chat(self, requests, context):
        watch = Watch(context, "Chat")
        for number, request in enumerate(requests):
            yield pb.EchoReply(number=number, payload=behave(request, context, watch))
        watch.answered = True

    def Ping(self, request, context):
        return request


def start(port: int):
    """A server that has started, and its port."""
    options = [(name, int(value)) for name, value in (argument.split("=") for argument in sys.argv[1:])]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    pb_grpc.add_EchoServiceServicer_to_server(Echo(), server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


def main() -> None:
    server, port = start(0)
    say(port)
    for command in sys.stdin:
        old = server
        if command.strip() == "replace":
            server, _ = start(port)
            old.stop(GRACE).wait()
        else:
            old.stop(GRACE).wait()
            time.sleep(GAP)
            server, _ = start(port)
        say("done")
    server.stop(grace=None).wait()


if __name__ == "__main__":
    main()

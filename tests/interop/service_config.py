"""Calls with the service config that the generator wrote for a package, by Python's grpcio.

    python service_config.py CONFIG.json

The config is that of `fixtures/policies`, the server one of grpcio's own. Exits with 1 when grpcio
doesn't do what the proto says.
"""

import sys
import threading
import time
from concurrent import futures

import grpc


class Service(grpc.GenericRpcHandler):
    """Fails a method's first calls with UNAVAILABLE, as often as the request says, or sleeps."""

    def __init__(self) -> None:
        self.calls = []
        self.done = threading.Event()

    def service(self, details):
        name = details.method.rsplit("/", 1)[1]

        def call(request, context):
            self.calls.append(name)
            if request == b"sleep":
                self.done.wait(20)
            elif len(self.calls) <= int(request):
                context.abort(grpc.StatusCode.UNAVAILABLE, "not yet")
            return b""

        return grpc.unary_unary_rpc_method_handler(call)


def main() -> None:
    with open(sys.argv[1], encoding="utf-8") as file:
        config = file.read()
    service = Service()
    server = grpc.server(futures.ThreadPoolExecutor(4), handlers=(service,))
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    channel = grpc.insecure_channel(f"127.0.0.1:{port}", [("grpc.service_config", config)])

    def attempts(method, request):
        service.calls.clear()
        call = channel.unary_unary(f"/policies.CareService/{method}")
        try:
            call(request, wait_for_ready=True)
            return len(service.calls), None
        except grpc.RpcError as error:
            return len(service.calls), error.code()

    # Four attempts are allowed to the one, two to the other, no second one to the third; what is idempotent
    # has some by itself.
    unavailable = grpc.StatusCode.UNAVAILABLE
    for method, request, expected in [
        ("Retried", b"3", (4, None)),
        ("Retried", b"9", (4, unavailable)),
        ("Plainly", b"9", (2, unavailable)),
        ("Guarded", b"1", (1, unavailable)),
        ("Usual", b"1", (2, None)),
    ]:
        found = attempts(method, request)
        assert found == expected, f"{method}: {found}, and not {expected}"
    # The deadline is five seconds. By grpcio's clock, which can be off by more than one: it counts cycles.
    started = time.monotonic()
    _, code = attempts("Retried", b"sleep")
    took = time.monotonic() - started
    assert code == grpc.StatusCode.DEADLINE_EXCEEDED and took < 15, f"{code} after {took} s"
    service.done.set()
    channel.close()
    server.stop(0)
    print("grpcio calls as the proto says")


main()

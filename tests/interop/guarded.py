"""Calls a server with all five interceptors on, by Python's grpcio.

    python guarded.py TARGET TRACEPARENT TOKEN TOKEN_WITH_SCOPES FORGED_TOKEN

Exits with 1 on the first surprise. `tests/peers_five.rs` has what the server's spans, log and metrics say of it.
"""

import pathlib
import re
import sys
import tempfile

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load():
    """The messages and stubs of the vault."""
    with tempfile.TemporaryDirectory() as folder:
        well_known = pathlib.Path(protoc.__file__).parent / "_proto"
        code = protoc.main([
            "protoc", f"-I{ROOT / 'tests/fixtures/guarded'}", f"-I{ROOT / 'protos'}", f"-I{well_known}",
            f"--python_out={folder}", f"--grpc_python_out={folder}", "guarded.proto", "apibase/v1/options.proto",
        ])
        assert code == 0, "protoc failed"
        sys.path.insert(0, folder)
        import guarded_pb2
        import guarded_pb2_grpc

    return guarded_pb2, guarded_pb2_grpc


pb, pb_grpc = load()
target, traceparent, token, with_scopes, forged = sys.argv[1:]
trace = traceparent.split("-")[1]
calls = 0


def metadata(*tokens, correlation=None):
    """What goes with the next call, and the correlation id in it."""
    global calls
    calls += 1
    correlation = correlation or f"python-{calls}"
    pairs = [("traceparent", traceparent), ("tracestate", "vendor=1"), ("x-correlation-id", correlation)]
    pairs += [("authorization", f"Bearer {token}") for token in tokens]
    # Nothing of this is for a log, either.
    return pairs + [("cookie", f"session={token}"), ("x-secret-bin", token.encode())], correlation


def told(call):
    """The correlation ids of an answer, whichever way it came."""
    pairs = [*(call.initial_metadata() or ()), *(call.trailing_metadata() or ())]
    return [value for key, value in pairs if key == "x-correlation-id"]


def refused(method, *tokens) -> tuple:
    """The code, the message and the reason that a call is refused with."""
    pairs, correlation = metadata(*tokens)
    try:
        method(pb.Thing(), metadata=pairs, timeout=20)
    except grpc.RpcError as error:
        assert told(error) == [correlation], told(error)
        details = rpc_status.from_call(error).details
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.RequestInfo()
        assert len(details) == 2 and details[0].Unpack(info) and details[1].Unpack(request), details
        assert info.domain == "apibase", info
        assert (request.request_id, request.serving_data) == (correlation, trace), request
        return error.code().name, error.details(), info.reason
    raise AssertionError("it was let in")


with grpc.insecure_channel(target) as channel:
    vault = pb_grpc.VaultServiceStub(channel)

    # Who calls, in which trace, with which correlation id: the servicer knows, and the caller hears the last.
    for method, tokens in [(vault.Look, [token]), (vault.Take, [with_scopes])]:
        pairs, correlation = metadata(*tokens)
        reply, call = method.with_call(pb.Thing(), metadata=pairs, timeout=20)
        assert reply.name == f"alice {trace} {correlation}", reply
        assert told(call) == [correlation], told(call)

    # A stream that anybody may ask for.
    pairs, correlation = metadata()
    replies = vault.Knock(pb.Thing(), metadata=pairs, timeout=20)
    assert [reply.name for reply in replies] == [f"- {trace} {correlation}"] * 2
    assert told(replies) == [correlation], told(replies)

    # A correlation id that isn't one is not taken, and there is one all the same.
    pairs, correlation = metadata(token, correlation="not valid {}")
    reply, call = vault.Look.with_call(pb.Thing(), metadata=pairs, timeout=20)
    [made] = told(call)
    assert re.fullmatch("[0-9a-f]{32}", made) and reply.name.endswith(made), (made, reply)

    code, message, reason = refused(vault.Look)
    assert (code, reason) == ("UNAUTHENTICATED", "TOKEN_MISSING"), (code, reason)
    assert message.startswith("a token is required"), message
    invalid = ("UNAUTHENTICATED", "invalid token", "TOKEN_REJECTED")
    assert refused(vault.Look, forged) == invalid
    assert refused(vault.Look, token[:-2]) == invalid
    assert refused(vault.Look, token, token) == invalid
    code, message, reason = refused(vault.Take, token)
    assert (code, reason) == ("PERMISSION_DENIED", "SCOPE_MISSING"), (code, reason)
    assert "vault.take" in message, message

print(f"Python is let in, and kept out, as it should be: {calls} calls")

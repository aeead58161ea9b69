"""Python's messages and stubs of the parcel service, for `errors.py` and `rich_server.py`."""

import pathlib
import sys
import tempfile

import grpc_tools
from grpc_tools import protoc

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDES = [ROOT / "tests/fixtures/errors_calls", ROOT / "protos", pathlib.Path(grpc_tools.__file__).parent / "_proto"]

DOMAIN = "parcels.example.com"


def load():
    """The messages, the stubs, and the messages of `common/errors.proto`."""
    with tempfile.TemporaryDirectory() as folder:
        code = protoc.main([
            "protoc", *(f"-I{include}" for include in INCLUDES), f"--python_out={folder}",
            f"--grpc_python_out={folder}", "calls.proto", "common/errors.proto", "apibase/v1/options.proto",
        ])
        assert code == 0, "protoc failed"
        sys.path.insert(0, folder)
        import calls_pb2
        import calls_pb2_grpc
        from common import errors_pb2

    return calls_pb2, calls_pb2_grpc, errors_pb2

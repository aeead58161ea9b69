"""Calls every RPC of the items example with Python's grpcio.

    python items.py PATH/TO/items

Starts the server on a free port with a store of its own, and exits with 1 on the first surprise.
"""

import contextlib
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

import grpc
import grpc_tools
from grpc_tools import protoc

PROTOS = pathlib.Path(__file__).resolve().parents[2] / "protos"
WELL_KNOWN = pathlib.Path(grpc_tools.__file__).parent / "_proto"


def generate(folder: str) -> None:
    """Python's messages and stubs of the items service, into `folder`."""
    code = protoc.main([
        "protoc", f"-I{PROTOS}", f"-I{WELL_KNOWN}", f"--python_out={folder}", f"--grpc_python_out={folder}",
        "examples/items.proto", "common/errors.proto", "apibase/v1/options.proto",
    ])
    assert code == 0, "protoc failed"
    sys.path.insert(0, folder)


@contextlib.contextmanager
def serving(binary: str, folder: str):
    """The example, served until the block ends; then it must stop by itself."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    env = {**os.environ, "GRPC__SERVER__PORT": str(port), "GRPC__SERVER__HOST": "127.0.0.1"}
    server = subprocess.Popen([binary, "serve", "--store", f"{folder}/items.redb"], env=env)
    try:
        yield f"127.0.0.1:{port}"
    finally:
        server.terminate()
        assert server.wait(timeout=20) == 0, "the server did not stop well"


def call_everything(target: str) -> None:
    from common import errors_pb2
    from examples import items_pb2 as pb
    from examples import items_pb2_grpc

    with grpc.insecure_channel(target) as channel:
        grpc.channel_ready_future(channel).result(timeout=20)
        items = items_pb2_grpc.ItemServiceStub(channel)

        # Unary.
        hammer = items.CreateItem(pb.CreateItemRequest(name="Hammer", sku="HAM-1", quantity=3, price=9.5))
        assert hammer.id and hammer.is_active and hammer.HasField("created_at")
        assert items.GetItem(pb.GetItemRequest(id=hammer.id)) == hammer
        changed = items.UpdateItem(pb.UpdateItemRequest(id=hammer.id, quantity=0))
        assert changed.quantity == 0 and changed.name == "Hammer"

        # Errors: the code, the message and both details.
        try:
            items.CreateItem(pb.CreateItemRequest(name="", sku="HAM-2", quantity=-1, price=1.0))
            raise AssertionError("a bad item was created")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.INVALID_ARGUMENT, error
            trailers = dict(error.trailing_metadata())
            detail = errors_pb2.ErrorDetail.FromString(trailers["error-detail-bin"])
            assert detail.code == "ValidationError", detail
            assert b"type.googleapis.com/google.rpc.BadRequest" in trailers["grpc-status-details-bin"]
        for request, code in [
            (pb.CreateItemRequest(name="Other", sku="HAM-1", price=1.0), grpc.StatusCode.ALREADY_EXISTS),
        ]:
            try:
                items.CreateItem(request)
                raise AssertionError(f"{code} was expected")
            except grpc.RpcError as error:
                assert error.code() == code, error

        # A stream of requests.
        batch = items.BatchCreateItems(
            pb.CreateItemRequest(name=f"Nail {n}", sku=f"NAIL-{n}", quantity=n, price=0.1) for n in range(20)
        )
        assert batch.created_count == 20 and not batch.errors

        # A stream of replies, page by page.
        names, token = [], ""
        while True:
            page = items.ListItems(pb.ListItemsRequest(page_size=8, page_token=token))
            names += [item.name for item in page]
            token = dict(page.trailing_metadata()).get("x-next-page-token", "")
            if not token:
                break
        assert sorted(names) == sorted(["Hammer"] + [f"Nail {n}" for n in range(20)]), names

        # Both.
        answers = list(items.SyncItems(iter([
            pb.ItemSyncRequest(delete_id=hammer.id),
            pb.ItemSyncRequest(delete_id="no such id"),
        ])))
        assert [answer.success for answer in answers] == [True, False], answers

        # A deadline and a method that nobody has.
        try:
            items.GetItem(pb.GetItemRequest(id=hammer.id), timeout=5)
            raise AssertionError("a deleted item was found")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.NOT_FOUND, error
        nobody = channel.unary_unary("/examples.ItemService/Nobody")
        try:
            nobody(b"")
            raise AssertionError("an unknown method answered")
        except grpc.RpcError as error:
            assert error.code() == grpc.StatusCode.UNIMPLEMENTED, error


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        generate(folder)
        with serving(sys.argv[1], folder) as target:
            started = time.monotonic()
            call_everything(target)
            print(f"Python grpcio {grpc.__version__}: every RPC of the items service, {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()

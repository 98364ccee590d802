"""gRPC servers on loopback: health, reflection and a small service made of a descriptor at run time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory  # type: ignore[import-untyped]
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

_TEXT, _NUMBER = descriptor_pb2.FieldDescriptorProto.TYPE_STRING, descriptor_pb2.FieldDescriptorProto.TYPE_INT32


def _shop() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="shop.proto", package="shop", syntax="proto3")
    for name, fields in {"Cart": [("cart", _TEXT)], "Sum": [("cents", _NUMBER), ("currency", _TEXT)]}.items():
        message = file.message_type.add(name=name)
        for number, (field, kind) in enumerate(fields, 1):
            message.field.add(name=field, number=number, type=kind, label=1, json_name=field)
    service = file.service.add(name="Checkout")
    service.method.add(name="Total", input_type=".shop.Cart", output_type=".shop.Sum")
    service.method.add(name="Watch", input_type=".shop.Cart", output_type=".shop.Sum", server_streaming=True)
    return file


POOL = descriptor_pool.DescriptorPool()
POOL.Add(_shop())
CART = message_factory.GetMessageClass(POOL.FindMessageTypeByName("shop.Cart"))
SUM = message_factory.GetMessageClass(POOL.FindMessageTypeByName("shop.Sum"))
Total = Callable[[Any, Any], Awaitable[Any]]


async def total(asked: Any, context: Any) -> Any:
    """What the carts of the tests come to; by their names also what may go wrong."""
    if asked.cart == "huge":
        return SUM(cents=1, currency="x" * 100_000)
    if asked.cart == "slow":
        await asyncio.sleep(60)
    if asked.cart in grpc.StatusCode.__members__:
        await context.abort(grpc.StatusCode[asked.cart], "as was asked for")
    return SUM(cents=len(asked.cart), currency="EUR")


class _Refusing(grpc.GenericRpcHandler):  # type: ignore[misc]
    """Reflection for members only."""

    def __init__(self, status: str) -> None:
        self._status = grpc.StatusCode[status]

    def service(self, handler_call_details: Any) -> Any:
        if "ServerReflection" not in handler_call_details.method:
            return None
        return grpc.stream_stream_rpc_method_handler(self._refuse)

    async def _refuse(self, asked: Any, context: Any) -> None:
        await context.abort(self._status, "members only")


@asynccontextmanager
async def serving(
    answer: Total = total, *, reflects: bool = True, health_of: dict[str, str] | None = None, tls: Any = None, refuses: str = ""
) -> AsyncIterator[int]:
    """A server that has the shop's service, and health unless `health_of` is empty; reflection may be refused with a status. Yields its port."""
    server = grpc.aio.server()
    if refuses:
        server.add_generic_rpc_handlers((_Refusing(refuses),))
    handler = grpc.unary_unary_rpc_method_handler(answer, CART.FromString, SUM.SerializeToString)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("shop.Checkout", {"Total": handler}),))
    words = {"": "SERVING", "shop.Checkout": "SERVING", "shop.Ill": "NOT_SERVING"} if health_of is None else health_of
    if words:
        servicer = health.aio.HealthServicer()
        for name, word in words.items():
            await servicer.set(name, health_pb2.HealthCheckResponse.ServingStatus.Value(word))
        health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    if reflects:
        reflection.enable_server_reflection(("shop.Checkout", reflection.SERVICE_NAME), server, pool=POOL)
    port = server.add_insecure_port("127.0.0.1:0") if tls is None else server.add_secure_port("127.0.0.1:0", tls)
    await server.start()
    try:
        yield port
    finally:
        await server.stop(None)

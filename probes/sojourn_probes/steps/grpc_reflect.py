"""Finds a gRPC method by asking the server itself (server reflection), and makes its messages out of JSON.

What a server says of itself is not trusted: how many descriptors it sends and how large they are is bounded, each is asked for once.
"""

from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory  # type: ignore[import-untyped]
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]

from sojourn_probes.semconv import FailureKind
from sojourn_probes.steps.talk import Broken

MOST_FILES: Final = 500
MOST_IMPORTS: Final = 5_000
MOST_BYTES: Final = 4 * 1024 * 1024
_VERSIONS: Final = ("grpc.reflection.v1", "grpc.reflection.v1alpha")
_SHOWN: Final = 12


class Method:
    """A unary method: what it takes and what it answers."""

    def __init__(self, found: Any, pool: Any) -> None:
        self._found, self._pool = found, pool

    def request(self, message: dict[str, Any]) -> bytes:
        """`message` on the wire. Raises `Broken`."""
        made = message_factory.GetMessageClass(self._found.input_type)()
        unknown = next((name for name in message if name not in _names(self._found.input_type)), None)
        if unknown is not None:
            raise Broken(FailureKind.CONFIG, f"message: {self._found.input_type.full_name} has no field {unknown}; it has {_list(_fields(self._found))}")
        try:
            json_format.ParseDict(message, made, descriptor_pool=self._pool)
        except json_format.ParseError as fault:
            raise Broken(FailureKind.CONFIG, f"message does not fit {self._found.input_type.full_name}: {fault}") from None
        return bytes(made.SerializeToString())

    def answer(self, raw: bytes) -> str:
        """What was answered, as JSON. Raises `Broken`."""
        made = message_factory.GetMessageClass(self._found.output_type)()
        try:
            made.ParseFromString(raw)
            return str(json_format.MessageToJson(made, always_print_fields_with_no_presence=True, descriptor_pool=self._pool, indent=None, ensure_ascii=False))
        except (ValueError, TypeError, RecursionError, json_format.Error, DecodeError) as fault:
            raise Broken(FailureKind.PROTOCOL, f"the answer is no {self._found.output_type.full_name} ({type(fault).__name__})") from None


async def method_of(channel: Any, name: str, metadata: Any) -> Method:
    """The method `package.Service/Name`, asked of the server behind `channel`. Raises `Broken` and grpc's errors."""
    import grpc

    for version in _VERSIONS:
        try:
            return await _Asking(channel, version, metadata).method(name)
        except grpc.aio.AioRpcError as fault:
            if fault.code() is not grpc.StatusCode.UNIMPLEMENTED:
                raise
    raise Broken(FailureKind.PROTOCOL, f"the server offers no reflection, by which {name} is found; switch it on there, or ask for health with service:")


class _Asking:
    """Questions to one version of the reflection service."""

    def __init__(self, channel: Any, version: str, metadata: Any) -> None:
        from grpc_reflection.v1alpha import reflection_pb2

        self._words = reflection_pb2
        # One call for each question: sent in one piece, it cannot break on a stream that a server without reflection ended already.
        self._once = channel.unary_stream(
            f"/{version}.ServerReflection/ServerReflectionInfo",
            request_serializer=reflection_pb2.ServerReflectionRequest.SerializeToString,
            response_deserializer=reflection_pb2.ServerReflectionResponse.FromString,
        )
        self._metadata = metadata
        self._files: dict[str, Any] = {}
        self._bytes = self._imports = 0

    async def method(self, name: str) -> Method:
        service, _, method = name.partition("/")
        said = await self._ask(file_containing_symbol=service)
        if not said.HasField("file_descriptor_response"):
            there = [one.name for one in (await self._ask(list_services="")).list_services_response.service]
            raise Broken(FailureKind.CONFIG, f"the server has no service {service}; it has {_list(there)}")
        self._take(said)
        while missing := [one for file in self._files.values() for one in file.dependency if one not in self._files]:
            for file in dict.fromkeys(missing):
                if file in self._files:
                    continue
                self._take(await self._ask(file_by_filename=file))
                if file not in self._files:
                    raise Broken(FailureKind.PROTOCOL, f"the server's reflection does not tell {file[:200]!r}, which {service} is made of")
        pool = self._pool()
        try:
            known = pool.FindServiceByName(service)
        except KeyError:
            raise Broken(FailureKind.PROTOCOL, f"the server's reflection tells other things than {service}") from None
        if method not in known.methods_by_name:
            there = list(known.methods_by_name)
            raise Broken(FailureKind.CONFIG, f"{service} has no method {method}; it has {_list(there)}")
        found = known.methods_by_name[method]
        if found.client_streaming or found.server_streaming:
            raise Broken(FailureKind.CONFIG, f"{name} is a stream; only calls with one message and one answer can be made")
        return Method(found, pool)

    async def _ask(self, **what: str) -> Any:
        import grpc

        call = self._once(self._words.ServerReflectionRequest(**what), metadata=self._metadata)
        try:
            said = await call.read()
        finally:
            call.cancel()
        if said is grpc.aio.EOF:
            raise Broken(FailureKind.PROTOCOL, "the server ended its reflection without an answer")
        return said

    def _take(self, said: Any) -> None:
        for raw in said.file_descriptor_response.file_descriptor_proto:
            self._bytes += len(raw)
            file = descriptor_pb2.FileDescriptorProto()
            try:
                file.ParseFromString(raw)
            except DecodeError:
                raise Broken(FailureKind.PROTOCOL, "the server's reflection sends descriptors that are none") from None
            self._files.setdefault(file.name, file)
            self._imports += len(file.dependency)
        if len(self._files) > MOST_FILES or self._imports > MOST_IMPORTS or self._bytes > MOST_BYTES:
            most = f"{MOST_FILES} files, {MOST_IMPORTS} imports or {MOST_BYTES // 1024 // 1024} MB"
            raise Broken(FailureKind.CONTENT, f"the server's reflection tells more than {most}; that is not read")

    def _pool(self) -> Any:
        """All files, each after those it is made of."""
        pool, left = descriptor_pool.DescriptorPool(), dict(self._files)
        try:
            while left:
                ready = [name for name, file in left.items() if not any(one in left for one in file.dependency)]
                if not ready:
                    raise Broken(FailureKind.PROTOCOL, "the server's reflection tells files that are made of each other")
                for name in ready:
                    pool.Add(left.pop(name))
        except (TypeError, ValueError) as fault:
            raise Broken(FailureKind.PROTOCOL, f"the server's reflection sends descriptors that do not fit together ({type(fault).__name__})") from None
        return pool


def _names(kind: Any) -> set[str]:
    """What a field may be called in JSON; of a kind with a JSON form of its own, anything."""
    if kind.file.name.startswith("google/protobuf/"):
        return _Anything()
    return {name for field in kind.fields for name in (field.name, field.json_name)}


class _Anything(set[str]):
    def __contains__(self, item: object) -> bool:
        return True


def _fields(method: Any) -> list[str]:
    return [field.name for field in method.input_type.fields]


def _list(there: list[str]) -> str:
    more = f" and {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
    return (", ".join(one[:100] for one in there[:_SHOWN]) or "none") + more

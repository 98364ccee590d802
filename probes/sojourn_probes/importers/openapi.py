"""OpenAPI 3 descriptions: a step for every GET, its parameters from examples; what changes something is left out."""

import re
from typing import Any, Final

from sojourn_probes.importers.draft import Draft, Work, name_word
from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.request import Request, name_of, part_of
from sojourn_probes.importers.source import ImportFault, data_of, line_of, list_of, mapping_of, text_of
from sojourn_probes.secret_names import is_secret_name, secret_name

_CHANGING: Final = ("post", "put", "patch", "delete", "options", "head", "trace")
_MADE_UP: Final[dict[str, str]] = {"integer": "1", "number": "1", "boolean": "true"}
MAX_OPERATIONS: Final = 5000


class _Api:
    """The whole description, for references within it."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.data = data

    def at(self, value: Any) -> dict[str, Any]:
        """`value` with `$ref` followed, within the file and not in circles."""
        for _ in range(20):
            data = mapping_of(value)
            reference = data.get("$ref")
            if not isinstance(reference, str) or not reference.startswith("#/"):
                return data
            value = self.data
            for name in reference[2:].split("/"):
                value = mapping_of(value).get(name.replace("~1", "/").replace("~0", "~"))
        return {}


def read(text: str, work: Work) -> None:
    """One journey with a step for each GET."""
    data = mapping_of(data_of(text))
    if "swagger" in data:
        raise ImportFault("is Swagger 2.0; convert it to OpenAPI 3 first", line_of(data))
    if not text_of(data.get("openapi")).startswith("3") or not isinstance(data.get("paths"), dict):
        raise ImportFault("is no OpenAPI 3 description (openapi: 3.x and paths: are not there)", line_of(data))
    api = _Api(data)
    draft = work.draft(text_of(mapping_of(data.get("info")).get("title")) or "api")
    draft.keys["vars"] = {}
    server = _server(data, work)
    if len(data["paths"]) > MAX_OPERATIONS:
        raise ImportFault(f"describes more than {MAX_OPERATIONS} paths; split it")
    for path, item in data["paths"].items():
        operations = api.at(item)
        for method in _CHANGING:
            if method in operations:
                work.lose(f"{method.upper()} {path}", "was left out; only GETs are imported, because they change nothing", line_of(operations[method]))
        if isinstance(operations.get("get"), dict):
            _operation(f"{server}{path}", operations, api, draft, work)
    if not draft.keys["vars"]:
        del draft.keys["vars"]
    if not draft.steps:
        raise ImportFault("describes no GET; there is nothing that can be asked without changing something")


def _server(data: dict[str, Any], work: Work) -> str:
    """The first server's address; what is not absolute comes from the environment."""
    if work.base_url is not None:
        return work.base_url.rstrip("/")
    server = mapping_of(next(iter(list_of(data.get("servers"))), None))
    url = escaped(text_of(server.get("url")))
    for name, variable in mapping_of(server.get("variables")).items():
        url = url.replace(f"{{{name}}}", text_of(mapping_of(variable).get("default")))
    if len(list_of(data.get("servers"))) > 1:
        work.lose("servers", "only the first was carried over; name another with --base-url", line_of(data))
    if re.match(r"https?://[^{}]+$", url):
        return url.rstrip("/")
    work.lose("servers", "no absolute address is given; set BASE_URL, or name one with --base-url", line_of(data))
    return "${env.BASE_URL}"


def _operation(url: str, operations: dict[str, Any], api: _Api, draft: Draft, work: Work) -> None:
    operation = operations["get"]
    place = name_of("GET", url)
    request = Request(url)
    given = {
        (text_of(one.get("in")), text_of(one.get("name"))): one
        for one in map(api.at, [*list_of(operations.get("parameters")), *list_of(operation.get("parameters"))])
    }
    for (where, name), parameter in list(given.items())[:200]:
        _parameter(where, name, parameter, request, api, draft, work, place)
    _security(operation, api, request, work, place)
    if operation.get("deprecated") is True:
        work.lose(place, "is deprecated, and was carried over all the same", line_of(operation))
    part = part_of(request, work, place)
    if part is None:
        return
    expect: list[str] = []
    _expect(operation, api, expect, work, place)
    name = text_of(operation.get("summary")) or text_of(operation.get("operationId")) or place
    draft.add(name, "http", part, expect=expect)


def _parameter(where: str, name: str, parameter: dict[str, Any], request: Request, api: _Api, draft: Draft, work: Work, place: str) -> None:
    value, made_up = _example(parameter, api)
    needed = parameter.get("required") is True or where == "path"
    if not needed and (made_up or not value):
        return
    if made_up:
        variable = name_word(name)
        if is_secret_name(name):
            value = work.vault.by_name(name, place)
        else:
            draft.keys["vars"].setdefault(variable, value)
            value = f"${{vars.{variable}}}"
            work.lose(place, f"the parameter {name[:60]} has no example; put a real one under vars: {variable}", line_of(parameter))
    if where == "path":
        request.url = request.url.replace(f"{{{name}}}", work.vault.named(name, value, place))
    elif where == "query":
        request.query.append((name, value))
    elif where == "header":
        request.headers.append((name, value))
    elif where == "cookie":
        request.headers.append(("Cookie", f"{name}={work.vault.field(value, name, place)}"))


def _example(parameter: dict[str, Any], api: _Api) -> tuple[str, bool]:
    """A value for the parameter, and whether it had to be made up."""
    schema = api.at(parameter.get("schema"))
    examples = [mapping_of(api.at(one)).get("value") for one in mapping_of(parameter.get("examples")).values()]
    from_schema = schema.get("examples")
    candidates = [parameter.get("example"), *examples, schema.get("example"), *list_of(from_schema), schema.get("default"), *list_of(schema.get("enum"))]
    items = api.at(schema.get("items"))
    candidates += [items.get("example"), items.get("default"), *list_of(items.get("enum"))]
    for candidate in candidates:
        if isinstance(candidate, list):
            candidate = ",".join(map(text_of, candidate))
        if text_of(candidate):
            return escaped(text_of(candidate)), False
    return _MADE_UP.get(text_of(schema.get("type")), "example"), True


def _security(operation: dict[str, Any], api: _Api, request: Request, work: Work, place: str) -> None:
    said = operation.get("security", api.data.get("security"))
    wanted = mapping_of(next(iter(list_of(said)), None))
    schemes = mapping_of(mapping_of(api.data.get("components")).get("securitySchemes"))
    for name in list(wanted)[:5]:
        scheme = api.at(schemes.get(name))
        kind, how = text_of(scheme.get("type")), text_of(scheme.get("scheme")).lower()
        if kind == "http" and how == "basic":
            request.auth = {"user": f"${{env.{secret_name(name).upper()}_USER}}", "password": work.vault.by_name(f"{name}_password", place)}
        elif kind == "apiKey":
            _api_key(scheme, name, request, work, place)
        elif kind == "oauth2" and (flow := _own_token(scheme)) is not None:
            request.auth = {
                "oauth2": {
                    "token_url": escaped(text_of(flow.get("tokenUrl"))),
                    "client_id": f"${{env.{secret_name(name).upper()}_CLIENT_ID}}",
                    "client_secret": work.vault.by_name(f"{name}_client_secret", place),
                    **({"scope": [text_of(one) for one in list_of(wanted[name])]} if list_of(wanted[name]) else {}),
                }
            }
        elif kind in ("http", "oauth2", "openIdConnect"):
            request.auth = {"bearer": work.vault.by_name(name, place)}
            if kind != "http":
                work.lose(place, f"signing in by {kind} was left out; the step takes a token from the secret {secret_name(name)}", line_of(scheme))
        else:
            work.lose(place, f"signing in by {name[:60]} was left out; there is no such scheme, or it is not known", line_of(operation))


def _own_token(scheme: dict[str, Any]) -> dict[str, Any] | None:
    """The flow in which the client gets a token of its own, when its address is absolute."""
    flow = mapping_of(mapping_of(scheme.get("flows")).get("clientCredentials"))
    return flow if re.match(r"https?://", text_of(flow.get("tokenUrl"))) else None


def _api_key(scheme: dict[str, Any], name: str, request: Request, work: Work, place: str) -> None:
    key, reference = text_of(scheme.get("name")) or "X-API-Key", work.vault.by_name(name, place)
    where = text_of(scheme.get("in"))
    if where == "query":
        request.query.append((key, reference))
    elif where == "cookie":
        request.headers.append(("Cookie", f"{key}={reference}"))
    else:
        request.headers.append((key, reference))


def _expect(operation: dict[str, Any], api: _Api, expect: list[str], work: Work, place: str) -> None:
    responses = mapping_of(operation.get("responses"))
    good = [code for code in responses if re.fullmatch(r"2\d\d|2XX", str(code), re.IGNORECASE)]
    exact = [int(code) for code in good if code.isdecimal()]
    if len(exact) == 1 and len(good) == 1:
        work.expect(expect, place, "status", "==", exact[0])
    else:
        work.expect(expect, place, "status", "==", "2xx")
    kinds = [kind for code in good for kind in mapping_of(api.at(responses[code]).get("content"))]
    if len(kinds) == 1 and re.fullmatch(r"[a-z]+/[a-z0-9.+-]+", kinds[0]):
        work.expect(expect, place, "header", "contains", kinds[0], "content-type")

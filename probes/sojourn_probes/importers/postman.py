"""Postman collections: a journey for the requests at the top and one for each folder; simple scripts become expectations and extractions."""

import re
from dataclasses import dataclass, field
from typing import Any, Final

from sojourn_probes.importers.draft import Draft, Work, name_word
from sojourn_probes.importers.features import is_name
from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.postman_script import Script
from sojourn_probes.importers.request import Request, basic, bearer, part_of
from sojourn_probes.importers.source import ImportFault, json_of, list_of, mapping_of, text_of
from sojourn_probes.secret_names import is_secret_name

_NAME = re.compile(r"\{\{\s*([^{}]{1,100}?)\s*\}\}")
_DYNAMIC: Final = {
    "$guid": "random.uuid", "$randomUUID": "random.uuid", "$timestamp": "now.unix", "$isoTimestamp": "now.iso", "$randomEmail": "random.email",
}  # fmt: skip
MAX_REQUESTS: Final = 5000


@dataclass(slots=True)
class _Collection:
    """What holds for all requests: the collection's variables, and what scripts have set so far in this journey."""

    work: Work
    values: dict[str, str] = field(default_factory=dict)
    secret: set[str] = field(default_factory=set)
    set_by: dict[str, str] = field(default_factory=dict)
    used: dict[str, Any] = field(default_factory=dict)
    place: str = ""
    count: int = 0

    def ours(self, text: str) -> str:
        """Text with `{{name}}` turned into our names."""
        pieces = _NAME.split(text)
        return "".join(self._name(piece) if index % 2 else escaped(piece) for index, piece in enumerate(pieces))

    def _name(self, name: str) -> str:
        if name in self.set_by:
            return self.set_by[name]
        if name.startswith("$"):
            return self._dynamic(name)
        word = name_word(name)
        if name in self.secret or is_secret_name(name):
            return self.work.vault.by_name(name, self.place)
        if name in self.values:
            self.used[word] = self._value(name)
            return f"${{vars.{word}}}"
        return f"${{env.{re.sub(r'(?<=[a-z])(?=[A-Z])', '_', word).replace('-', '_').upper()}}}"

    def _value(self, name: str) -> str:
        """What a variable holds, without secrets."""
        value = self._plain(self.values[name], 0)
        clean, auth = self.work.vault.url(value, self.place) if "://" in value else (self.work.vault.named(name, value, self.place), None)
        if auth is not None:
            self.work.lose(self.place, f"user and password in the variable {name[:60]} were left out; add auth: to the steps that use it")
        return clean

    def _dynamic(self, name: str) -> str:
        ours = _DYNAMIC.get(name, "")
        if ours and is_name(ours):
            return f"${{{ours}}}"
        self.work.lose(self.place, f"the generated value {name[:40]} became ${{run.id}}, which differs from run to run")
        return "${run.id}"

    def _plain(self, value: str, depth: int) -> str:
        """A variable's value; variables cannot use one another, so that they are written out."""

        def written(found: re.Match[str]) -> str:
            name = found.group(1)
            if name not in self.values or name in self.secret or is_secret_name(name):
                return self._name(name)
            if depth >= 5:
                self.work.lose(self.place, f"the variable {name[:60]} is made of itself, or of too many others; write its value out")
                return escaped(found.group())
            return self._plain(self.values[name], depth + 1)

        pieces = _NAME.split(value)
        return "".join(escaped(piece) if index % 2 == 0 else written(_must(f"{{{{{piece}}}}}")) for index, piece in enumerate(pieces))


def _must(text: str) -> re.Match[str]:
    found = _NAME.match(text)
    assert found is not None
    return found


def read(text: str, work: Work) -> None:
    """A journey for each folder at the top, one for the requests beside them."""
    data = mapping_of(json_of(text))
    data = mapping_of(data.get("collection")) or data
    info = mapping_of(data.get("info"))
    items = list_of(data.get("item"))
    if "schema" not in info and not items:
        raise ImportFault("is no Postman collection (info and item are not there); export it as Collection v2.1")
    if "v1" in text_of(info.get("schema")).split("/")[-2:-1] or "requests" in data:
        raise ImportFault("is a collection of the old format v1; export it as Collection v2.1")
    collection = _Collection(work)
    for variable in list_of(data.get("variable")):
        _variable(mapping_of(variable), collection)
    work.vault.translate = collection.ours
    title = text_of(info.get("name")) or "postman"
    _script_of(data, "the collection", collection)
    loose = [item for item in items if "item" not in mapping_of(item)]
    groups = [(title, loose, data.get("auth"))] if loose else []
    groups += [(f"{title}: {text_of(item.get('name'))}", [item], data.get("auth")) for item in map(mapping_of, items) if "item" in item]
    for name, members, auth in groups:
        draft = work.draft(name)
        collection.set_by, collection.used = {}, {}
        for member in members:
            _item(mapping_of(member), auth, draft, collection, 0, [])
        if collection.used:
            draft.keys["vars"] = dict(collection.used)
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no request that a journey can make")


def _variable(variable: dict[str, Any], collection: _Collection) -> None:
    name = text_of(variable.get("key")) or text_of(variable.get("id"))
    if not name or variable.get("disabled") is True:
        return
    collection.values[name] = text_of(variable.get("value"))
    if variable.get("type") == "secret" or is_secret_name(name):
        collection.secret.add(name)


def _item(item: dict[str, Any], auth: Any, draft: Draft, collection: _Collection, depth: int, path: list[str]) -> None:
    name = text_of(item.get("name"))[:150]
    own = item.get("auth")
    auth = own if isinstance(own, dict) else auth
    if "item" in item:
        _script_of(item, f"folder {name}", collection)
        for child in list_of(item["item"]):
            _item(mapping_of(child), auth, draft, collection, depth + 1, [*path, name] if depth else path)
        return
    if "request" in item:
        collection.count += 1
        if collection.count > MAX_REQUESTS:
            raise ImportFault(f"holds more than {MAX_REQUESTS} requests; export fewer")
        _request(item, auth, draft, collection, " / ".join([*path, name]))


def _request(item: dict[str, Any], auth: Any, draft: Draft, collection: _Collection, name: str) -> None:
    work, said = collection.work, item["request"]
    collection.place = name
    request_data: dict[str, Any] = {"url": said} if isinstance(said, str) else mapping_of(said)
    request = Request(_url(request_data.get("url"), collection), text_of(request_data.get("method")) or "GET")
    if request.url.startswith("${") is False and not re.match(r"https?://", request.url):
        request.url = f"http://{request.url}"
    for header in map(mapping_of, list_of(request_data.get("header"))):
        if header.get("disabled") is not True:
            request.headers.append((text_of(header.get("key")), collection.ours(text_of(header.get("value")))))
    _body(mapping_of(request_data.get("body")), request, collection)
    own = request_data.get("auth")
    _auth(mapping_of(own if isinstance(own, dict) else auth), request, collection)
    if mapping_of(item.get("protocolProfileBehavior")).get("followRedirects") is False:
        request.follow_redirects = 0
    part = part_of(request, work, name)
    if part is None:
        return
    script = _script_of(item, name, collection)
    step_id = draft.add(name, "http", part, expect=script.expect, degraded_if=[], extract=script.extract)
    for variable, extract in script.variables.items():
        collection.set_by[variable] = f"${{steps.{step_id}.{extract}}}"


def _url(url: Any, collection: _Collection) -> str:
    if isinstance(url, str):
        return collection.ours(url)
    data = mapping_of(url)
    raw = text_of(data.get("raw"))
    if not raw:
        host, path = data.get("host"), data.get("path")
        raw = ".".join(map(text_of, host)) if isinstance(host, list) else text_of(host)
        raw += "/" + ("/".join(text_of(part) for part in path) if isinstance(path, list) else text_of(path).lstrip("/"))
        raw = f"{text_of(data.get('protocol')) or 'http'}://{raw}" if "{{" not in raw.partition("/")[0] else raw
    base, mark, query = raw.partition("?")
    off = {(text_of(one.get("key")), text_of(one.get("value"))) for one in map(mapping_of, list_of(data.get("query"))) if one.get("disabled") is True}
    query = "&".join(one for one in query.split("&") if tuple(one.partition("=")[::2]) not in off)
    for variable in map(mapping_of, list_of(data.get("variable"))):
        name, value = text_of(variable.get("key")), text_of(variable.get("value"))
        if name and value:
            if is_secret_name(name):
                collection.secret.add(name)
                value = f"{{{{{name}}}}}"
            base = "/".join(value if part == f":{name}" else part for part in base.split("/"))
    found = _NAME.match(base)
    if found is not None and (prefix := collection.values.get(found.group(1))) and "://" not in prefix and "{{" not in prefix:
        collection.values[found.group(1)] = f"http://{prefix}"  # as Postman takes an address without a scheme
    return collection.ours(base + (mark + query if query else ""))


def _body(body: dict[str, Any], request: Request, collection: _Collection) -> None:
    mode = text_of(body.get("mode"))
    if body.get("disabled") is True or not mode:
        return
    pairs = [one for one in map(mapping_of, list_of(body.get(mode))) if one.get("disabled") is not True]
    if mode == "raw":
        request.body = collection.ours(text_of(body.get("raw")))
        language = mapping_of(mapping_of(body.get("options")).get("raw")).get("language")
        if language == "json" and not any(name.lower() == "content-type" for name, _ in request.headers):
            request.headers.append(("Content-Type", "application/json"))
    elif mode == "urlencoded":
        request.form = [(text_of(one.get("key")), collection.ours(text_of(one.get("value")))) for one in pairs]
    elif mode == "graphql":
        _graphql(mapping_of(body.get("graphql")), request, collection)
    elif mode == "formdata":
        _multipart(pairs, request, collection)
    else:
        collection.work.lose(collection.place, f"the body of the kind {mode[:30]} was left out; http steps cannot send one yet")


def _graphql(data: dict[str, Any], request: Request, collection: _Collection) -> None:
    variables: Any = data.get("variables")
    if isinstance(variables, str):
        try:
            variables = json_of(variables) if variables.strip() else {}
        except ImportFault:
            collection.work.lose(collection.place, "the variables of the GraphQL query were left out; they are no JSON")
            variables = {}
    request.method, request.has_json = "POST", True
    request.json_data = {"query": text_of(data.get("query")), **({"variables": variables} if variables else {})}


def _multipart(pairs: list[dict[str, Any]], request: Request, collection: _Collection) -> None:
    parts: dict[str, Any] = {}
    for one in pairs:
        name = text_of(one.get("key"))
        if one.get("type") == "file":
            source = one.get("src")
            file = text_of(source[0] if isinstance(source, list) and source else source) or "file"
            parts[name] = {"file": file.rsplit("/", 1)[-1]}
            collection.work.lose(collection.place, f"put the file of the form's field {name[:40]!r} beside the journey")
        else:
            parts[name] = collection.work.vault.named(name, collection.ours(text_of(one.get("value"))), collection.place)
    request.more["multipart"] = parts


def _auth(auth: dict[str, Any], request: Request, collection: _Collection) -> None:
    kind = text_of(auth.get("type"))
    given = auth.get(kind)
    said = {text_of(one.get("key")): one.get("value") for one in map(mapping_of, list_of(given))} if isinstance(given, list) else mapping_of(given)
    values = {name: collection.ours(text_of(value)) for name, value in said.items()}
    work, place = collection.work, collection.place
    if kind == "basic":
        request.auth = basic(values.get("username", ""), values.get("password", ""), work, place)
    elif kind == "bearer" and values.get("token"):
        request.auth = bearer(values["token"], work, place)
    elif kind == "apikey" and values.get("key"):
        if values.get("in") == "query":
            request.query.append((values["key"], work.vault.field(values.get("value", ""), "api_key", place)))
        else:
            request.headers.append((values["key"], work.vault.field(values.get("value", ""), values["key"], place)))
    elif kind not in ("", "noauth", "inherit"):
        work.lose(place, f"signing in by {kind[:30]} was left out; see auth: in docs/steps.md for what there is")


def _script_of(item: dict[str, Any], place: str, collection: _Collection) -> Script:
    """What the scripts of `item` say that we can say too; the rest is told line by line."""
    script = Script(collection.work, place)
    for event in map(mapping_of, list_of(item.get("event"))):
        said = mapping_of(event.get("script")).get("exec")
        lines = said if isinstance(said, list) else text_of(said).split("\n")
        if event.get("disabled") is not True:
            script.read([text_of(line) for line in lines[:2000]], is_test=event.get("listen") == "test")
    return script

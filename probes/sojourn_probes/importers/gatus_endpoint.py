"""One endpoint of Gatus on its way into a step."""

import re
from typing import Any, Final

from sojourn_probes.importers.draft import Draft, Work, name_word, seconds
from sojourn_probes.importers.gatus_condition import Conditions
from sojourn_probes.importers.gatus_env import body_of, ours, random_named
from sojourn_probes.importers.gatus_parts import PARTS, dns
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.request import Request, as_json, client_credentials, part_of, proxy_of
from sojourn_probes.importers.source import line_of, list_of, mapping_of, text_of, words
from sojourn_probes.secret_names import is_secret_name

_CONTEXT = re.compile(r"\[CONTEXT\]\.([A-Za-z_][A-Za-z0-9_-]{0,60})(\.[A-Za-z0-9_.-]+)?")
_KNOWN: Final = words("name group url method body headers conditions interval client dns enabled alerts ui graphql store always-run")
_CLIENT_OF_HTTP: Final = words("ignore-redirect insecure timeout proxy-url tls")
_CLIENT_OF_OTHERS: Final = words("insecure timeout tls")


class Endpoint:
    """An endpoint; `context` is what the suite's earlier endpoints stored, by name."""

    def __init__(self, data: dict[str, Any], draft: Draft, work: Work, place: str, context: dict[str, str]) -> None:
        self.data, self.draft, self.work, self.place, self.context = data, draft, work, place, context
        self.client = mapping_of(data.get("client"))
        self.conditions = Conditions(work, place, self.text)

    def lose(self, message: str) -> None:
        """Say that something of it was left out."""
        self.work.lose(self.place, message, line_of(self.data))

    def text(self, text: str) -> str:
        """Text with names of the environment and of the suite's context turned into ours."""
        pieces: list[str] = []
        at = 0
        for found in _CONTEXT.finditer(text):
            pieces.append(ours(text[at : found.start()]))
            known = self.context.get(found.group(1)) if found.group(2) is None else None
            if known is None:
                why = "is nothing that an earlier endpoint stored" if found.group(2) is None else "was left as it stands; a name reaches into no map"
                self.lose(f"{found.group()[:60]} {why}")
            pieces.append(known or escaped(found.group()))
            at = found.end()
        return "".join(pieces) + ours(text[at:])

    def body(self) -> str:
        """What is sent."""
        body, is_random = body_of(self.data)
        if is_random:
            self.lose("[RANDOM_STRING] became ${random.hex}, 16 signs long")
        if self.data.get("graphql") is True and body:
            body = as_json({"query": body})
        return random_named(self.text(body))

    def step(self) -> None:
        """Add the step; what cannot be carried over is said."""
        for key in self.data:
            if key not in _KNOWN:
                self.lose(f"{key[:40]} was left out")
        kind, part = self._part()
        if part is None:
            return
        self.conditions.kind, self.conditions.record = kind, str(part.get("record", "A"))
        for condition in self.asked():
            self.conditions.read(condition)
        more: dict[str, Any] = {"expect": self.conditions.expect, "always_run": self.data.get("always-run") is True}
        limit = seconds_of(self.client.get("timeout"))
        if limit and 0 < limit <= 600 and (limit <= 30 or "timeout" in self.draft.keys):
            more["timeout"] = seconds(limit)
        stored = self._stored() if kind == "http" else {}
        step_id = self.draft.add(text_of(self.data.get("name")) or "endpoint", kind, part, extract=dict(stored.values()), **more)
        for key, (name, _) in stored.items():
            self.context[key] = f"${{steps.{step_id}.{name}}}"

    def asked(self) -> list[str]:
        """The conditions as they stand."""
        return [text_of(condition) for condition in list_of(self.data.get("conditions"))]

    def tls(self) -> dict[str, Any]:
        """How TLS is spoken, as the client says it."""
        said = mapping_of(self.client.get("tls"))
        files = {"cert_file": text_of(said.get("certificate-file")), "key_file": text_of(said.get("private-key-file"))}
        for key in said:
            if key not in ("certificate-file", "private-key-file"):
                self.work.lose(self.place, f"client: tls: {key[:40]} was left out", line_of(said))
        found = {key: self.text(value) for key, value in files.items() if value and files["cert_file"]}
        return found | ({"verify": False} if self.client.get("insecure") is True else {})

    def _part(self) -> tuple[str, dict[str, Any] | None]:
        url = text_of(self.data.get("url"))
        scheme = url.partition("://")[0].lower() if "://" in url else ""
        if "dns" not in self.data and scheme in ("http", "https"):
            return "http", self._http(url)
        reader = dns if "dns" in self.data else PARTS.get(scheme)
        if reader is None:
            known = ", ".join(["http", "https", *PARTS])
            self.lose(f"was left out; an address of the kind {scheme[:20] or '(none)'} cannot be probed, only {known}, and dns")
            return scheme, None
        for key in self.client:
            if key not in _CLIENT_OF_OTHERS:
                self.work.lose(self.place, f"client: {key[:40]} was left out", line_of(self.client))
        return reader(self, self.text(url))

    def _http(self, url: str) -> dict[str, Any] | None:
        headers = mapping_of(self.data.get("headers"))
        request = Request(self.text(url), text_of(self.data.get("method")) or "GET", [(name, self.text(text_of(value))) for name, value in headers.items()])
        request.body = self.body() or None
        if self.data.get("graphql") is True and request.body:
            request.headers.append(("Content-Type", "application/json"))
        if self.client.get("ignore-redirect") is True:
            request.follow_redirects = 0
        request.tls = self.tls()
        if text_of(self.client.get("proxy-url")):
            request.more |= proxy_of(self.text(text_of(self.client["proxy-url"])), self.work, self.place)
        oauth = {key: self.text(value) if isinstance(value, str) else value for key, value in mapping_of(self.client.get("oauth2")).items()}
        request.auth = client_credentials(oauth, self.work, self.place)
        for key in self.client:
            if key not in _CLIENT_OF_HTTP and (key != "oauth2" or request.auth is None):
                self.work.lose(self.place, f"client: {key[:40]} was left out", line_of(self.client))
        return part_of(request, self.work, self.place)

    def _stored(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """What the endpoint puts into the suite's context, as extractions."""
        found: dict[str, tuple[str, dict[str, Any]]] = {}
        for key, said in mapping_of(self.data.get("store")).items():
            path = re.fullmatch(r"\[BODY\]((?:\.[A-Za-z_][\w-]*|\[\d+\])+)", text_of(said))
            if path is None:
                self.lose(f"store: {key[:40]} was left out; only values of the JSON body are taken")
                continue
            extract: dict[str, Any] = {"json": f"${path.group(1)}"}
            if is_secret_name(key):
                extract["secret"] = True
            found[key] = (name_word(key), extract)
        return found

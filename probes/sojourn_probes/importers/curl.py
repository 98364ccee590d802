"""curl commands: each becomes a step of one journey."""

import re
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, Final
from urllib.parse import quote

from sojourn_probes.importers.draft import Work, seconds, shown_host
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.request import Request, basic, name_of, part_of, proxy_of
from sojourn_probes.importers.shell_words import Command, commands
from sojourn_probes.importers.source import ImportFault, words

_VALUED: Final = {
    "X": "request", "H": "header", "d": "data", "F": "form", "u": "user", "b": "cookie", "x": "proxy", "E": "cert", "A": "user-agent",
    "e": "referer", "m": "max-time", "o": "output", "w": "write-out", "c": "cookie-jar", "T": "upload-file", "r": "range", "K": "config",
    "U": "proxy-user", "C": "continue-at", "D": "dump-header", "y": "speed-time", "Y": "speed-limit",
    "z": "time-cond", "P": "ftp-port", "Q": "quote", "t": "telnet-option",
}  # fmt: skip
_PLAIN: Final = {"k": "insecure", "L": "location", "G": "get", "I": "head", "4": "ipv4", "6": "ipv6", "f": "fail"}
_LONG_VALUED: Final = frozenset(_VALUED.values()) | words(
    "data-raw data-binary data-ascii data-urlencode json form-string resolve cacert key max-redirs url connect-timeout retry retry-delay proxy-header "
    "netrc-file socks4 socks4a socks5 socks5-hostname preproxy proxy-pass tlsuser tlspassword login-options mail-from mail-rcpt mail-auth crlfile "
    "engine expect100-timeout keepalive-time pinnedpubkey proto-default proto-redir proxy-cacert proxy-cert proxy-key pubkey rate request-target "
    "service-name stderr trace trace-ascii abstract-unix-socket alt-svc hsts tls13-ciphers proxy1.0 output-dir local-port happy-eyeballs-timeout-ms "
    "curves tftp-blksize haproxy-clientip dns-interface dns-ipv4-addr dns-ipv6-addr proxy-tlsuser proxy-tlspassword hostpubmd5 ech retry-max-time "
    "oauth2-bearer aws-sigv4 connect-to interface cert-type key-type pass capath ciphers tls-max unix-socket dns-servers noproxy limit-rate "
    "max-filesize url-query doh-url proto variable"
)
"""Long options that take a value; one that is not known would take the next word for an address."""

_QUIET: Final = words(
    "silent show-error verbose include output write-out compressed fail fail-with-body remote-name no-progress-meter progress-bar globoff path-as-is "
    "http1.1 http2 tlsv1.2 no-buffer cookie-jar dump-header location-trusted no-keepalive tcp-nodelay output-dir create-dirs remove-on-error no-alpn"
)
"""Options that change nothing of what is asked and expected."""


MAX_ADDRESSES: Final = 1000


@dataclass(slots=True)
class _Said:
    """What a command's options said, in their order."""

    urls: list[str] = field(default_factory=list)
    values: dict[str, list[str]] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)

    def last(self, name: str) -> str | None:
        """The value given last."""
        return self.values[name][-1] if self.values.get(name) else None


def read(text: str, work: Work) -> None:
    """One journey with a step for each address asked."""
    draft = None
    for command in commands(text):
        if not command.words or PurePath(command.words[0].removesuffix(".exe")).name != "curl":
            work.lose(f"line {command.line}", f"{command.words[0][:40]!r} is no curl command and was left out", command.line)
            continue
        said = _read_options(command, work)
        if not said.urls:
            work.lose(f"line {command.line}", "names no address and was left out", command.line)
        if len(said.urls) > MAX_ADDRESSES:
            raise ImportFault(f"names more than {MAX_ADDRESSES} addresses in one command; split it", command.line)
        for url in said.urls:
            step = _step(url, said, command, work)
            if step is not None:
                draft = draft or work.draft(shown_host(step[1]["url"]) or "curl")
                draft.add(step[0], "http", step[1], timeout=step[2])
    if draft is None:
        raise ImportFault("holds no curl command; put commands in it that begin with curl")


def _read_options(command: Command, work: Work) -> _Said:
    said = _Said()
    place = f"line {command.line}"
    for odd in dict.fromkeys(command.odd):
        work.lose(place, f"{odd} is not run; what stands there was carried over as text", command.line)
    words = iter(command.words[1:])
    for word in words:
        if word.startswith("--") and len(word) > 2:
            name, sign, value = word[2:].partition("=")
            if name in _LONG_VALUED:
                said.values.setdefault(name, []).append(value if sign else next(words, ""))
            else:
                said.flags.add(name)
        elif word.startswith("-") and len(word) > 1:
            _short(word[1:], words, said)
        else:
            said.urls.append(word)
    said.urls += said.values.pop("url", [])
    for name in (said.flags | set(said.values)) - _QUIET - _KNOWN:
        work.lose(place, f"--{name[:40]} was left out", command.line)
    return said


def _short(letters: str, words: Any, said: _Said) -> None:
    """`-sSLX POST` and `-XPOST`."""
    for index, letter in enumerate(letters):
        if letter in _VALUED:
            rest = letters[index + 1 :]
            said.values.setdefault(_VALUED[letter], []).append(rest or next(words, ""))
            return
        if letter in _PLAIN:
            said.flags.add(_PLAIN[letter])
        elif letter not in "sSvigOJNjaqRn#0":
            said.flags.add(letter)


_KNOWN: Final = words(
    "request header data data-raw data-binary data-ascii data-urlencode json form form-string user cookie insecure location get head max-time max-redirs "
    "cacert cert key oauth2-bearer user-agent referer proxy resolve ipv4 ipv6 retry connect-timeout"
)


def _step(url: str, said: _Said, command: Command, work: Work) -> tuple[str, dict[str, Any], str | None] | None:
    place = f"line {command.line}"
    if not re.match(r"https?://|\$\{", url):
        if "://" in url:
            work.lose(place, f"an address of the scheme {url.partition('://')[0][:20]!r} was left out; http and https are taken", command.line)
            return None
        url = f"http://{url}"
    request = Request(url, headers=[_header(line) for line in said.values.get("header", []) if ":" in line])
    _bodies(said, request, work, command)
    method = said.last("request") or ("HEAD" if "head" in said.flags else "POST" if _sends(request) else "GET")
    request.method = method
    _signing(said, request, work, place)
    if "location" not in said.flags:
        request.follow_redirects = 0
    elif (most := said.last("max-redirs")) is not None and most.isdecimal():
        request.follow_redirects = min(int(most), 20)
    _connection(said, request, work, command)
    if "retry" in said.values:
        work.lose(place, "--retry was left out; retries are the journey's, under retries:", command.line)
    part = part_of(request, work, place)
    limit = seconds_of(_number(said.last("max-time")))
    return None if part is None else (name_of(method, url), part, seconds(min(limit, 600)) if limit else None)


def _number(text: str | None) -> Any:
    return float(text) if text and re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else None


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.strip(), value.strip()


def _sends(request: Request) -> bool:
    return request.body is not None or request.form is not None or request.has_json or bool(request.more)


def _bodies(said: _Said, request: Request, work: Work, command: Command) -> None:
    place = f"line {command.line}"
    pieces = [piece for name in ("data", "data-ascii", "data-raw", "data-binary") for piece in said.values.get(name, [])]
    raw = set(said.values.get("data-raw", []))
    kept = []
    for piece in pieces:
        if piece.startswith("@") and piece not in raw:
            file = PurePath(piece[1:]).name
            if len(pieces) == 1 and file and "get" not in said.flags:
                request.more["file"] = file
                work.lose(place, f"put {file[:60]!r}, which is sent as the body, beside the journey", command.line)
            else:
                work.lose(place, f"the part of the body from the file {piece[1:][:80]!r} was left out", command.line)
        else:
            kept.append(piece)
    kept += [_urlencoded(piece) for piece in said.values.get("data-urlencode", [])]
    if "get" in said.flags and kept:
        request.url += ("&" if "?" in request.url else "?") + "&".join(kept)
    elif kept:
        request.body = "&".join(kept)
        if not any(name.lower() == "content-type" for name, _ in request.headers):
            request.headers.append(("Content-Type", "application/x-www-form-urlencoded"))
    elif pieces:
        request.body = ""
    if "json" in said.values:
        request.body = "".join(said.values["json"])
        request.headers += [("Content-Type", "application/json"), ("Accept", "application/json")]
    fields = [(one, True) for one in said.values.get("form", [])] + [(one, False) for one in said.values.get("form-string", [])]
    if fields:
        _multipart(fields, request, work, command)


def _urlencoded(piece: str) -> str:
    name, sign, value = piece.partition("=")
    return f"{name}{sign}{quote(value, safe='${}.')}" if sign else quote(piece, safe="${}.")


def _multipart(fields: list[tuple[str, bool]], request: Request, work: Work, command: Command) -> None:
    place = f"line {command.line}"
    parts: dict[str, Any] = {}
    for one, files in fields:
        name, _, value = one.partition("=")
        if files and value[:1] in ("@", "<"):
            file = PurePath(value[1:].partition(";")[0]).name or "file"
            parts[name] = {"file": file}
            work.lose(place, f"put {file[:60]!r}, which the form sends as {name[:40]}, beside the journey", command.line)
        else:
            parts[name] = work.vault.named(name, value, place)
    request.more["multipart"] = parts


def _signing(said: _Said, request: Request, work: Work, place: str) -> None:
    user = said.last("user")
    if user is not None:
        name, _, password = user.partition(":")
        request.auth = basic(name, password, work, place)
    token = said.last("oauth2-bearer")
    if token:
        request.headers.append(("Authorization", f"Bearer {token}"))
    for cookie in said.values.get("cookie", []):
        if "=" in cookie:
            request.headers.append(("Cookie", cookie))
        else:
            work.lose(place, f"cookies from the file {cookie[:80]!r} were left out; let the journey sign in by itself")


def _connection(said: _Said, request: Request, work: Work, command: Command) -> None:
    place = f"line {command.line}"
    if "insecure" in said.flags:
        request.tls["verify"] = False
    for option, key in (("cacert", "ca_file"), ("cert", "cert_file"), ("key", "key_file")):
        value = said.last(option)
        if value is None:
            continue
        request.tls[key] = value.partition(":")[0] if option == "cert" else value
        if option == "cert" and ":" in value:
            request.tls["key_password"] = work.vault.lift(value.partition(":")[2], "key_password", place)
    if "cert_file" not in request.tls and request.tls.pop("key_file", None) is not None:
        work.lose(place, "--key was left out; there is no --cert it belongs to", command.line)
    for option in ("ipv4", "ipv6"):
        if option in said.flags:
            request.more["ip_family"] = 4 if option == "ipv4" else 6
    proxy = said.last("proxy")
    if proxy is not None:
        request.more |= proxy_of(proxy, work, place)
    if "resolve" in said.values:
        work.lose(place, "--resolve was left out; http steps resolve names by themselves", command.line)
    agent, referer = said.last("user-agent"), said.last("referer")
    if agent:
        work.lose(place, "--user-agent was left out; probes say who they are", command.line)
    if referer:
        request.headers.append(("Referer", referer))

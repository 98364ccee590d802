"""Modules of the blackbox exporter that probe by http."""

import re
from typing import Any, Final

from sojourn_probes.importers.blackbox_parts import family_of, regex, tls_of
from sojourn_probes.importers.draft import Draft, Work
from sojourn_probes.importers.lift import escaped
from sojourn_probes.importers.request import Request, basic, client_credentials, part_of, proxy_of
from sojourn_probes.importers.source import line_of, list_of, mapping_of, text_of, words

_HTTP_KNOWN: Final = words(
    "method headers body valid_status_codes follow_redirects no_follow_redirects fail_if_ssl fail_if_not_ssl fail_if_body_matches_regexp "
    "fail_if_body_not_matches_regexp fail_if_matches_regexp fail_if_not_matches_regexp fail_if_header_matches fail_if_header_not_matches tls_config "
    "basic_auth bearer_token authorization preferred_ip_protocol ip_protocol_fallback accept_any_response valid_http_versions "
    "enable_http2 body_size_limit proxy_url oauth2"
)


def http(name: str, said: dict[str, Any], target: str, draft: Draft, work: Work) -> None:
    """One request to `target`."""
    url = target or "${env.TARGET}"
    if target and "://" not in target:
        url = f"http://{target}"
    for key in said:
        if key not in _HTTP_KNOWN:
            work.lose(name, f"http: {key[:50]} was left out", line_of(said))
    request = Request(url, text_of(said.get("method")) or "GET", [(key, escaped(text_of(value))) for key, value in mapping_of(said.get("headers")).items()])
    request.body = escaped(text_of(said.get("body"))) or None
    if said.get("follow_redirects") is False or said.get("no_follow_redirects") is True:
        request.follow_redirects = 0
    _signing(name, said, request, work)
    request.tls = tls_of(name, mapping_of(said.get("tls_config")), work)
    request.more |= family_of(said) | _limits(name, said, work)
    part = part_of(request, work, name)
    if part is None:
        return
    expect: list[str] = []
    _http_expectations(name, said, url, expect, work)
    draft.add(name, "http", part, expect=expect)


def _limits(name: str, said: dict[str, Any], work: Work) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if said.get("enable_http2") is False:
        found["http_version"] = "1.1"
    size = re.fullmatch(r"(\d{1,6}(?:\.\d{1,3})?)\s?([KMG]?)i?B", text_of(said.get("body_size_limit")))
    if size is not None:
        found["max_body"] = f"{size.group(1)} {size.group(2)}B"
    elif said.get("body_size_limit"):
        work.lose(name, "http: body_size_limit was left out; it is no size", line_of(said))
    return found


def _signing(name: str, said: dict[str, Any], request: Request, work: Work) -> None:
    if text_of(said.get("proxy_url")):
        request.more |= proxy_of(escaped(text_of(said["proxy_url"])), work, name)
    oauth = {key: escaped(value) if isinstance(value, str) else value for key, value in mapping_of(said.get("oauth2")).items()}
    if oauth:
        request.auth = client_credentials(oauth, work, name)
        if request.auth is None:
            work.lose(name, "http: oauth2 was left out; it names no token_url, client_id and client_secret", line_of(said))
    user = mapping_of(said.get("basic_auth"))
    if user:
        _basic(name, user, request, work)
    authorization = mapping_of(said.get("authorization"))
    token = text_of(said.get("bearer_token")) or text_of(authorization.get("credentials"))
    if token:
        request.headers.append(("Authorization", f"{text_of(authorization.get('type')) or 'Bearer'} {escaped(token)}"))
    elif authorization.get("credentials_file"):
        request.headers.append(("Authorization", f"{text_of(authorization.get('type')) or 'Bearer'} {work.vault.by_name('token', name)}"))


def _basic(name: str, user: dict[str, Any], request: Request, work: Work) -> None:
    """User and password; what stands in a file is a secret to set."""
    who = escaped(text_of(user.get("username"))) or "${env.BASIC_USER}"
    if text_of(user.get("password")):
        request.auth = basic(who, escaped(text_of(user["password"])), work, name)
    else:
        request.auth = {"user": who, "password": work.vault.by_name("password", name)}
    for key in user:
        if key not in ("username", "password"):
            work.lose(name, f"basic_auth: {key[:40]} was left out; set the secret instead", line_of(user))


def _http_expectations(name: str, said: dict[str, Any], url: str, expect: list[str], work: Work) -> None:
    codes = [code for code in list_of(said.get("valid_status_codes")) if isinstance(code, int)]
    if said.get("accept_any_response") is True:
        work.expect(expect, name, "status", ">=", 100)
    elif codes:
        work.expect(expect, name, "status", "in" if len(codes) > 1 else "==", codes if len(codes) > 1 else codes[0])
    else:
        work.expect(expect, name, "status", "==", "2xx")
    versions = [text_of(one).removeprefix("HTTP/").removesuffix(".0") for one in list_of(said.get("valid_http_versions"))]
    if versions:
        work.expect(expect, name, "http_version", "in", versions)
    if said.get("fail_if_not_ssl") is True and not url.startswith("https://"):
        work.expect(expect, name, "tls.protocol", "exists")
    if said.get("fail_if_ssl") is True:
        work.expect(expect, name, "tls.protocol", "not exists")
    for key, comparison in (("body_matches_regexp", "not matches"), ("body_not_matches_regexp", "matches")):
        for pattern in [*list_of(said.get(f"fail_if_{key}")), *list_of(said.get(f"fail_if_{key.removeprefix('body_')}"))]:
            work.expect(expect, name, "body", comparison, regex(text_of(pattern)))
    for key, comparison in (("fail_if_header_matches", "not matches"), ("fail_if_header_not_matches", "matches")):
        for one in map(mapping_of, list_of(said.get(key))):
            if one.get("allow_missing") is True and key == "fail_if_header_not_matches":
                work.lose(name, f"{key} with allow_missing was left out; an expectation wants the header to be there", line_of(one))
            elif one.get("allow_missing") is True and text_of(one.get("regexp")) == ".*":
                work.expect(expect, name, "header", "not exists", prop=text_of(one.get("header")))
            else:
                work.expect(expect, name, "header", comparison, regex(text_of(one.get("regexp"))), text_of(one.get("header")))

"""Gatus: each endpoint becomes a journey, each suite a journey with its endpoints as steps; conditions become expectations."""

from typing import Any, Final

from sojourn_probes.importers.draft import Work, name_word, seconds
from sojourn_probes.importers.gatus_endpoint import Endpoint
from sojourn_probes.importers.gatus_env import ours
from sojourn_probes.importers.go_duration import seconds_of
from sojourn_probes.importers.lift import shown_address
from sojourn_probes.importers.source import ImportFault, line_of, list_of, mapping_of, text_of, words, yaml_of
from sojourn_probes.secret_names import is_secret_name

_QUIET_PARTS: Final = words(
    "endpoints suites metrics storage alerting ui web announcements debug disable-monitoring-lock skip-invalid-config-update concurrency"
)


def read(text: str, work: Work) -> None:
    """A journey for each endpoint and each suite."""
    data = mapping_of(yaml_of(text))
    work.vault.translate = ours
    endpoints, suites = list_of(data.get("endpoints") or data.get("services")), list_of(data.get("suites"))
    if not endpoints and not suites:
        raise ImportFault("is no Gatus configuration (endpoints: and suites: are not there)", line_of(data))
    for key in data:
        if key in ("alerting", "maintenance", "security", "connectivity", "remote", "external-endpoints"):
            work.lose(key, "was left out; it belongs to the tool, not to a journey", line_of(data[key]))
    for endpoint in map(mapping_of, endpoints):
        name = _name(endpoint)
        draft = work.draft(name, interval=_interval(endpoint, work, name, "60s"))
        if endpoint.get("enabled") is False:
            draft.keys["enabled"] = False
        Endpoint(endpoint, draft, work, name, {}).step()
    for suite in map(mapping_of, suites):
        _suite(suite, work)
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no endpoint that a journey can probe; see docs/authoring.md for those it can")


def _name(endpoint: dict[str, Any]) -> str:
    group, name = text_of(endpoint.get("group")), text_of(endpoint.get("name")) or shown_address(text_of(endpoint.get("url"))) or "endpoint"
    return f"{group}: {name}" if group else name


def _interval(data: dict[str, Any], work: Work, place: str, otherwise: str) -> str:
    said = data.get("interval")
    length = seconds_of(said)
    if said is not None and (length is None or not 1 <= length <= 7 * 86400):
        work.lose(place, f"the interval {text_of(said)[:30]!r} was left out; 1s to 7d is taken", line_of(data))
    return seconds(length) if length is not None and 1 <= length <= 7 * 86400 else otherwise


def _suite(suite: dict[str, Any], work: Work) -> None:
    name = _name(suite)
    draft = work.draft(name, interval=_interval(suite, work, name, "10m"))
    length = seconds_of(suite.get("timeout"))
    draft.keys["timeout"] = seconds(min(max(length or 300, 1), 600))
    if suite.get("enabled") is False:
        draft.keys["enabled"] = False
    context: dict[str, str] = {}
    values: dict[str, Any] = {}
    for key, value in mapping_of(suite.get("context")).items():
        word = name_word(key)
        if is_secret_name(key):
            context[key] = work.vault.field(ours(text_of(value)), key, name)
        else:
            values[word] = work.vault.data(value, name, key)
            context[key] = f"${{vars.{word}}}"
    if values:
        draft.keys["vars"] = values
    for endpoint in map(mapping_of, list_of(suite.get("endpoints"))):
        Endpoint(endpoint, draft, work, f"{name} / {text_of(endpoint.get('name'))}", context).step()

"""What modules of the blackbox exporter have in common, whatever their prober: TLS, families of addresses, regular expressions, targets."""

from typing import Any

from sojourn_probes.importers.addresses_of import host_port
from sojourn_probes.importers.draft import Work
from sojourn_probes.importers.lift import escaped, shown_address
from sojourn_probes.importers.source import line_of, text_of


def regex(pattern: str) -> str:
    """Go's regular expressions are nearly Python's; the rest is refused by the expectation and said."""
    return escaped(pattern.replace(r"\z", r"\Z"))


def tls_of(name: str, said: dict[str, Any], work: Work) -> dict[str, Any]:
    """How TLS is spoken; what a step cannot say is told."""
    tls: dict[str, Any] = {}
    if said.get("insecure_skip_verify") is True:
        tls["verify"] = False
    for key, value in said.items():
        if key == "min_version" and text_of(value) in ("TLS12", "TLS13"):
            tls[key] = "1.2" if text_of(value) == "TLS12" else "1.3"
        elif key in ("ca_file", "cert_file", "key_file", "server_name") and text_of(value) and (key != "key_file" or text_of(said.get("cert_file"))):
            tls[key] = escaped(text_of(value))
        elif key != "insecure_skip_verify":
            work.lose(name, f"tls_config: {key[:40]} was left out", line_of(said))
    return tls


def family_of(said: dict[str, Any]) -> dict[str, Any]:
    """The family of addresses, where only one is allowed; a mere preference is the default's business."""
    family = {"ip4": 4, "ip6": 6}.get(text_of(said.get("preferred_ip_protocol")))
    return {} if family is None or said.get("ip_protocol_fallback") is not False else {"ip_family": family}


def place_of(name: str, target: str, work: Work) -> tuple[str, Any] | None:
    """Host and port of the target, of the environment when none is named; None when it cannot be read, which is said."""
    if not target:
        return "${env.TARGET_HOST}", "${env.TARGET_PORT}"
    where = host_port(target)
    if where is None or where[1] is None:
        work.lose(name, f"was left out; the target {shown_address(target)!r} {'is no host:port' if where is None else 'names no port'}")
        return None
    return where

"""The one list of step kinds: what the YAML may say under each. A kind's runner is `steps/<kind>_run.py`, found by its name.

A kind's model may have an attribute `Defaults` (the model of `defaults: {<kind>: …}`, then also `merged(defaults)`), and a
method `first_url()`, the address it asks first, which names the journey's own origin when there is no base_url.
"""

from typing import Any, Final

from sojourn_probes.steps.browser import BrowserPart
from sojourn_probes.steps.dns import DnsPart
from sojourn_probes.steps.grpc import GrpcPart
from sojourn_probes.steps.http import HttpPart
from sojourn_probes.steps.icmp import IcmpPart
from sojourn_probes.steps.script import ScriptPart
from sojourn_probes.steps.tcp import TcpPart
from sojourn_probes.steps.tls import TlsPart
from sojourn_probes.steps.wait import WaitPart
from sojourn_probes.steps.websocket import WebsocketPart

KINDS: Final[dict[str, Any]] = {
    "http": HttpPart,
    "browser": BrowserPart,
    "tcp": TcpPart,
    "tls": TlsPart,
    "icmp": IcmpPart,
    "dns": DnsPart,
    "grpc": GrpcPart,
    "websocket": WebsocketPart,
    "script": ScriptPart,
    "wait": WaitPart,
}
"""Step kind → the model of its part in a journey file."""

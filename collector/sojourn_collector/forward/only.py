"""Which items a destination wants: `only:` of collector.yaml as a test of attributes."""

from sojourn_collector.forward.items import Attributes, Keep
from sojourn_collector.forward_config import ForwardOnly
from sojourn_probes import semconv

NONE = "none"
"""The word for items that carry no traffic, such as the spans of backends."""


def keep_of(only: ForwardOnly) -> Keep:
    """All parts that are given must hold. An attribute is looked for on the item, then on its resource."""
    traffic, services, attributes = frozenset(only.traffic), frozenset(only.services), dict(only.attributes)

    def keep(resource: Attributes, own: Attributes) -> bool:
        def of(name: str) -> str | None:
            return own.get(name, resource.get(name))

        return (
            (not traffic or (of(semconv.TRAFFIC) or NONE) in traffic)
            and (not services or resource.get(semconv.SERVICE_NAME) in services)
            and all(of(name) is not None if wanted == "*" else of(name) == wanted for name, wanted in attributes.items())
        )

    return keep

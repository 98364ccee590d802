"""What the intake has done so far, for the agent's /metrics and for tests."""

from dataclasses import asdict, dataclass


@dataclass(slots=True)
class IntakeCounts:
    """Counters since the start. `refused_*` are whole beacons answered with an error; `items_*` are parts of accepted ones."""

    accepted: int = 0
    repeated: int = 0
    bots: int = 0
    synthetic: int = 0
    invalid_marks: int = 0
    refused_malformed: int = 0
    refused_origin: int = 0
    refused_size: int = 0
    refused_rate: int = 0
    refused_slow: int = 0
    refused_spool: int = 0
    items: int = 0
    items_dropped: int = 0
    texts_cut: int = 0
    times_clamped: int = 0
    clocks_corrected: int = 0
    ids_withheld: int = 0

    def as_dict(self) -> dict[str, int]:
        """The counters by name."""
        return asdict(self)

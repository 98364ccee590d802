"""A step that only waits: `wait: 5s`."""

from typing import Annotated

from pydantic import ConfigDict, Field, RootModel

from sojourn_probes.units import Duration


class WaitPart(RootModel[Annotated[Duration, Field(gt=0, le=600)]]):
    """How long to wait before the next step."""

    model_config = ConfigDict(frozen=True)

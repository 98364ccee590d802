"""What a `script` step may say: a Python file beside the journey. The runner is `script_run.py`."""

from pathlib import PurePosixPath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from sojourn_probes.model import Model


def _beside(text: str) -> str:
    path = PurePosixPath(text)
    if path.is_absolute() or ".." in path.parts or "\0" in text or path.suffix != ".py":
        raise ValueError(f"{text!r} is no Python file beside the journey; name one in its folder, such as stock.py")
    return text


def _short(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


class ScriptModel(Model):
    """A Python file with a function `run(args)`, walked in a process of its own; what it returns can be expected and extracted as JSON."""

    file: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_beside)] = Field(description="the file, in the journey's folder or below it")
    args: dict[str, JsonValue] = Field({}, description="what run() is given; names are filled, and secrets reach the script in no other way")


ScriptPart = Annotated[ScriptModel, BeforeValidator(_short, json_schema_input_type=Annotated[str, Field(min_length=1, max_length=255)] | ScriptModel)]
"""The file alone, or file and args."""

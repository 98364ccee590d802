"""What a `script` step may say: a Python file beside the journey. The runner is `script_run.py`."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field, JsonValue

from sojourn_probes.model import Model
from sojourn_probes.own_file import PythonFile


def _short(value: Any) -> Any:
    return {"file": value} if isinstance(value, str) else value


class ScriptModel(Model):
    """A Python file with a function `run(args)`, walked in a process of its own; what it returns can be expected and extracted as JSON."""

    file: PythonFile = Field(description="the file, in the journey's folder or below it")
    args: dict[str, JsonValue] = Field({}, description="what run() is given; names are filled, and secrets reach the script in no other way")


ScriptPart = Annotated[ScriptModel, BeforeValidator(_short, json_schema_input_type=Annotated[str, Field(min_length=1, max_length=500)] | ScriptModel)]
"""The file alone, or file and args."""

"""Fields of models that hold expectations and conditions: in one line or in parts, read when the file is."""

from typing import Annotated, Any

from pydantic import Field, JsonValue, PlainSerializer, PlainValidator
from pydantic_core import PydanticCustomError

from sojourn_probes.condition import Condition, parse_condition
from sojourn_probes.expectation import SOURCES, Expectation, ExpectationError
from sojourn_probes.expectation_parse import from_parts, parse
from sojourn_probes.model import Model
from sojourn_probes.naming import Flag


class ExpectationParts(Model):
    """The long form of an expectation."""

    source: Annotated[str, Field(description=f"one of {', '.join(SOURCES)}")]
    property: Annotated[str, Field(min_length=1)] | None = Field(
        None, description="the name of a header or cookie, a JSONPath, an XPath, a CSS selector, a fact of tls"
    )
    count: Flag = Field(False, description="compare how many json, xpath or css finds")
    comparison: Annotated[str, Field(pattern=r"^(not )?(==|!=|<=?|>=?|between|contains|matches|in|fits|exists)$")]
    target: JsonValue = Field(
        None, description="what to compare with; two values for between, a list for in, a JSON Schema or its file for fits, nothing for exists"
    )


def _expectation(value: Any) -> Expectation:
    if isinstance(value, Expectation):
        return value
    try:
        if isinstance(value, str):
            return parse(value)
        if isinstance(value, dict):
            _refuse_accidental_map(value)
            return from_parts(ExpectationParts.model_validate(value).model_dump(exclude_unset=True))
    except ExpectationError as fault:
        raise PydanticCustomError("expectation", "{message}", {"message": str(fault), "offset": fault.offset}) from None
    raise PydanticCustomError("expectation", "an expectation is wanted here, such as status == 200", {"offset": 0})


def _refuse_accidental_map(value: dict[str, Any]) -> None:
    """Without quotes, YAML reads `body contains "a: b"` as a map."""
    if len(value) != 1:
        return
    key, item = next(iter(value.items()))
    if isinstance(key, str) and key.split(" ")[0].partition(".")[0] in {*SOURCES, "not"} and " " in key:
        line = f"{key}: {'' if item is None else item}".replace("'", "''")
        raise ExpectationError(f"YAML reads this as a map because of the ': ' in it; put the whole line in single quotes: '{line}'")


ExpectationField = Annotated[
    Expectation,
    PlainValidator(_expectation, json_schema_input_type=Annotated[str, Field(min_length=1, max_length=2000)] | ExpectationParts),
    PlainSerializer(lambda expectation: expectation.text, return_type=str),
]


def _condition(value: Any) -> Any:
    if isinstance(value, Condition):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("expectation", "a condition is wanted here, such as '${{vars.lang}} == de'", {"offset": 0})
    try:
        return parse_condition(value)
    except ExpectationError as fault:
        raise PydanticCustomError("expectation", "{message}", {"message": str(fault), "offset": fault.offset}) from None


ConditionField = Annotated[
    Condition,
    PlainValidator(_condition, json_schema_input_type=Annotated[str, Field(pattern=r"^\s*(not\s+)?\$\{", max_length=2000)]),
    PlainSerializer(lambda condition: condition.text, return_type=str),
]


Conditions = Annotated[tuple[ConditionField, ...], Field(min_length=1)]

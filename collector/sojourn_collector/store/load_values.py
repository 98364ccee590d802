"""Values, names and attributes of OTLP as the engine reads them, in SQL: everything is text, bounded in length and number.

AnyValue is unrolled twice (the reader refuses recursive messages); what lies deeper is kept as marked text. What was cut says so.
"""

from dataclasses import dataclass

from sojourn_probes import semconv

_SCALARS = "string_value Nullable(String), bool_value Nullable(UInt8), int_value Nullable(Int64), double_value Nullable(Float64)"
_INNER = f"Tuple({_SCALARS}, array_value Nullable(String), kvlist_value Nullable(String), bytes_value Nullable(String))"
ANY = (
    f"Tuple({_SCALARS}, array_value Tuple(values Array({_INNER})), kvlist_value Tuple(values Array(Tuple(key String, value {_INNER}))), "
    "bytes_value Nullable(String))"
)
PAIRS = f"Array(Tuple(key String, value {ANY}))"


def _inner(v: str) -> str:
    """A value inside an array or map, as JSON."""
    return (
        f"multiIf(isNotNull({v}.string_value), toJSONString(assumeNotNull({v}.string_value)), "
        f"isNotNull({v}.int_value), toString(assumeNotNull({v}.int_value)), isNotNull({v}.double_value), toString(assumeNotNull({v}.double_value)), "
        f"isNotNull({v}.bool_value), if(assumeNotNull({v}.bool_value) = 1, 'true', 'false'), "
        f"isNotNull({v}.bytes_value), concat('\"base64:', base64Encode(assumeNotNull({v}.bytes_value)), '\"'), "
        f"isNotNull({v}.array_value), concat('\"otlp-array:', base64Encode(assumeNotNull({v}.array_value)), '\"'), "
        f"isNotNull({v}.kvlist_value), concat('\"otlp-map:', base64Encode(assumeNotNull({v}.kvlist_value)), '\"'), 'null')"
    )


def any_value(v: str) -> str:
    """An attribute's value as text: scalars plain, arrays and maps as JSON, bytes marked `base64:`."""
    values, mapped = f"arrayConcat({v}.array_value.values, {v}.kvlist_value.values.value)", f"notEmpty({v}.kvlist_value.values)"
    before = f"arrayConcat(arrayMap(k -> concat(toJSONString(k), ':'), {v}.kvlist_value.values.key), arrayWithConstant(length({v}.array_value.values), ''))"
    inside = f"arrayStringConcat(arrayMap((k, z) -> concat(k, {_inner('z')}), {before}, {values}), ',')"
    nested = f"concat(if({mapped}, '{{', '['), {inside}, if({mapped}, '}}', ']'))"
    return (
        f"multiIf(isNotNull({v}.string_value), assumeNotNull({v}.string_value), isNotNull({v}.int_value), toString(assumeNotNull({v}.int_value)), "
        f"isNotNull({v}.double_value), toString(assumeNotNull({v}.double_value)), "
        f"isNotNull({v}.bool_value), if(assumeNotNull({v}.bool_value) = 1, 'true', 'false'), "
        f"notEmpty({v}.array_value.values) OR notEmpty({v}.kvlist_value.values), {nested}, "
        f"isNotNull({v}.bytes_value), concat('base64:', base64Encode(assumeNotNull({v}.bytes_value))), '')"
    )


LONGEST_VALUE = 16_384
"""Characters of an attribute's value; a longer one is cut and says how long it was."""
LONGEST_BODY = 65_536
"""The same of a log record's body."""
LONGEST_NAME = 1024
"""Characters of the name of a span, an event, a metric or a status message, of a scope and of an attribute; the rest is left out."""
MOST_ATTRIBUTES = 512
"""Attributes of one item; further ones are left out, and `sojourn.cut.attributes` says how many there were."""
MOST_EVENTS = 1024
"""Events of one span; `sojourn.cut.events` says how many there were."""


def cut(text: str, most: int) -> str:
    """A text of at most so many characters, marked when it was longer."""
    marked = f"concat(substringUTF8({text}, 1, {most}), '…[cut, ', toString(length({text})), ' bytes]')"
    return f"if(length({text}) > {most} AND lengthUTF8({text}) > {most}, {marked}, {text})"


def body(value: str) -> str:
    """The body of a log record; the text is made once and looked at twice."""
    return f"arrayMap(t -> {cut('t', LONGEST_BODY)}, [{any_value(value)}])[1]"


def short(name: str) -> str:
    """A name, cut without a mark: names with a number in them would be one each."""
    return f"if(length({name}) > {LONGEST_NAME}, substringUTF8({name}, 1, {LONGEST_NAME}), {name})"


_PLAIN = "coalesce(v.string_value, toString(v.int_value), toString(v.double_value), if(isNull(v.bool_value), NULL, if(v.bool_value = 1, 'true', 'false')), '')"
_ODD = (
    "v -> notEmpty(v.array_value.values) OR notEmpty(v.kvlist_value.values) OR isNotNull(v.bytes_value) "
    f"OR length(assumeNotNull(v.string_value)) > {LONGEST_VALUE}"
)


@dataclass(frozen=True, slots=True)
class Mark:
    """An attribute the collector adds where `when` holds: `key` with the number `count`."""

    when: str
    key: str
    count: str


def attributes(pairs: str, *marks: Mark) -> str:
    """Attributes as a map. Rows of few and short scalars, nearly all, take the short way: a third more spans per second."""
    marks = (Mark(f"length({pairs}) > {MOST_ATTRIBUTES}", semconv.CUT_ATTRIBUTES, f"length({pairs})"), *marks)
    first = f"arraySlice({pairs}, 1, {MOST_ATTRIBUTES})"
    marked = " OR ".join(mark.when for mark in marks)
    more_keys = ", ".join(f"if({mark.when}, ['{mark.key}'], [])" for mark in marks)
    more_values = ", ".join(f"if({mark.when}, [toString({mark.count})], [])" for mark in marks)
    odd_keys = f"{marked} OR length(arrayStringConcat({pairs}.key)) > {LONGEST_NAME}"
    own_keys = f"arrayConcat(arrayMap(k -> {short('k')}, {first}.key), {more_keys})"
    keys = f"CAST(if({odd_keys}, {own_keys}, {pairs}.key), 'Array(LowCardinality(String))')"
    full = f"arrayMap(t -> {cut('t', LONGEST_VALUE)}, arrayMap(v -> {any_value('v')}, {first}.value))"
    plain = f"arrayMap(v -> {_PLAIN}, {pairs}.value)"
    values = f"if({marked} OR arrayExists({_ODD}, {pairs}.value), arrayConcat({full}, {more_values}), {plain})"
    return f"CAST(mapFromArrays({keys}, {values}), 'Map(LowCardinality(String), String)')"


def with_scope(resource: str, scope: str) -> str:
    """A resource's attributes with the version and the attributes of the scope beside them, under `otel.scope.`; lists and maps of a scope are left out."""
    version = f"notEmpty({scope}.version)"
    first = f"arraySlice({scope}.attributes, 1, {MOST_ATTRIBUTES})"
    own = f"arrayMap(k -> concat('{semconv.SCOPE_PREFIX}', k), {first}.key)"
    keys = f"arrayMap(k -> {short('k')}, arrayConcat(if({version}, ['{semconv.SCOPE_VERSION}'], []), {own}))"
    values = f"arrayConcat(if({version}, [{scope}.version], []), arrayMap(v -> {_PLAIN}, {first}.value))"
    return f"mapConcat({resource}, CAST(mapFromArrays({keys}, arrayMap(t -> {short('t')}, {values})), 'Map(LowCardinality(String), String)'))"

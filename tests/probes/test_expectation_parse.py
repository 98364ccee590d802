"""The grammar of expectations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sojourn_probes.expectation import ALLOWED, SOURCES, TLS_FACTS, Expectation, ExpectationError
from sojourn_probes.expectation_parse import from_parts, parse


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("status == 200", ("status", None, "==", 200, False)),
        ("status == 2xx", ("status", None, "==", "2xx", False)),
        ("status not in [500, 502]", ("status", None, "in", [500, 502], True)),
        ("not status in [500, 502]", ("status", None, "in", [500, 502], True)),
        ("not status not == 200", ("status", None, "==", 200, False)),
        ("body contains 'Welcome home'", ("body", None, "contains", "Welcome home", False)),
        ('body contains "it\'s"', ("body", None, "contains", "it's", False)),
        (r"body contains 'it\'s'", ("body", None, "contains", "it's", False)),
        (r"body matches '^\d+ items$'", ("body", None, "matches", r"^\d+ items$", False)),
        ("body contains '${vars.word}'", ("body", None, "contains", "${vars.word}", False)),
        ("body contains ${vars.word}", ("body", None, "contains", "${vars.word}", False)),
        ("header content-type contains json", ("header", "content-type", "contains", "json", False)),
        ("header x-debug not exists", ("header", "x-debug", "exists", None, True)),
        ("json $.a.b == 3", ("json", "$.a.b", "==", 3, False)),
        ("json $.a == '3'", ("json", "$.a", "==", "3", False)),
        ("json $.a == null", ("json", "$.a", "==", None, False)),
        ("json $.items[?(@.price > 3)].name == 'x y'", ("json", "$.items[?(@.price > 3)].name", "==", "x y", False)),
        ("json $['a key'] exists", ("json", "$['a key']", "exists", None, False)),
        ("total<=1.5s", ("total", None, "<=", 1.5, False)),
        ("total between 10 ms and 1s", ("total", None, "between", [0.01, 1.0], False)),
        ("size < 2 MB", ("size", None, "<", 2_000_000, False)),
        ("size < 2KiB", ("size", None, "<", 2048, False)),
        ("tls.expires_in > 14d", ("tls", "expires_in", ">", 1_209_600.0, False)),
        ("tls < 200ms", ("tls", None, "<", 0.2, False)),
        ("lcp > 2500ms", ("lcp", None, ">", 2.5, False)),
        ("cls > 0.1", ("cls", None, ">", 0.1, False)),
        ("redirects == 0", ("redirects", None, "==", 0, False)),
        ("http_version == 2", ("http_version", None, "==", "2", False)),
        ("cookie sid exists", ("cookie", "sid", "exists", None, False)),
        ("xpath //h1[@class='a b']/text() == Hello", ("xpath", "//h1[@class='a b']/text()", "==", "Hello", False)),
        ("xpath '//h1 | //h2' contains 3", ("xpath", "//h1 | //h2", "contains", 3, False)),
        ("xpath count(//a[@x > 3])>=3", ("xpath", "count(//a[@x > 3])", ">=", 3, False)),
        ("css .price > 10.5", ("css", ".price", ">", 10.5, False)),
        ("css 'ul > li' not exists", ("css", "ul > li", "exists", None, True)),
        ("css input[name=csrf]::attr(value) matches '^[a-f]+$'", ("css", "input[name=csrf]::attr(value)", "matches", "^[a-f]+$", False)),
        ('json $.a == [1, {"b": null}]', ("json", "$.a", "==", [1, {"b": None}], False)),
        ("json $.a not contains {}", ("json", "$.a", "contains", {}, True)),
        ("json $.a fits item.json", ("json", "$.a", "fits", "item.json", False)),
        ('json $ not fits {"type": "array"}', ("json", "$", "fits", {"type": "array"}, True)),
    ],
)
def test_one_line_form(text, expectation):
    """Each source, comparison and unit is read into what can be compared."""
    source, prop, comparison, target, negated = expectation
    assert parse(text) == Expectation(source, prop, comparison, target, negated, text)


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("css .item count >= 3", ("css", ".item", ">=", 3, False)),
        ("json $.items[*] count not between 1 and 5", ("json", "$.items[*]", "between", [1, 5], True)),
        ("xpath '//li' count in [3, 4]", ("xpath", "//li", "in", [3, 4], False)),
    ],
)
def test_what_is_found_can_be_counted(text, expectation):
    """`count` after a path compares how many it finds."""
    source, prop, comparison, target, negated = expectation
    assert parse(text) == Expectation(source, prop, comparison, target, negated, text, counted=True)


@pytest.mark.parametrize(
    ("text", "offset", "message"),
    [
        ("", 0, "is empty; write for example status == 200"),
        ("staus == 200", 0, "'staus' is nothing that can be looked at; did you mean status?"),
        ("frobs == 200", 0, f"'frobs' is nothing that can be looked at; one of {', '.join(SOURCES)} is wanted"),
        ("status", 6, "a comparison is missing; one of ==, !=, <, <=, >, >=, between, in, exists"),
        ("status = 200", 7, "= is not a comparison; write =="),
        ("status is 200", 7, "is is not a comparison; write =="),
        ("body contain x", 5, "'contain' is not a comparison; did you mean contains?"),
        ("status ==", 9, "a value is missing after =="),
        ("status == ok", 10, "'ok' is not a status; write a number such as 200, or 2xx for the whole class"),
        ("status == 2000", 10, "2000 is not a status; they go from 100 to 599"),
        ("status contains 2", 7, "contains makes no sense for status; one of ==, !=, <, <=, >, >=, between, in, exists does"),
        ("body > 3", 5, "> makes no sense for body; one of ==, !=, contains, matches, in, exists does"),
        ("total > 800", 8, "800 has no unit; write 800s or 800ms"),
        ("total > fast", 8, "'fast' is not a duration; write a number with ms, s, m, h or d, such as 800ms or 60s"),
        ("size < big", 7, "'big' is not a size; write a number with B, KB, MB, GB, KiB, MiB or GiB, such as 2 MB"),
        ("cls > bad", 6, "'bad' is not a number"),
        ("body contains Welcome home", 22, "'home' is too much here; put a text with spaces in quotes"),
        ("body contains 'Welcome", 14, "a quote is not closed"),
        ("body matches '('", 15, "'(' is not a regular expression: missing ) at position 1"),
        (r"body matches '\d (a'", 19, r"'\\d (a' is not a regular expression: missing ) at position 5"),
        (r"body matches 'it\'s ('", 13, '"it\'s (" is not a regular expression: missing ) at position 6'),
        ("x" * 2001, 0, "an expectation may have 2000 characters, this has 2001"),
        ("status == ,", 10, "a value is wanted here, not ','"),
        ("total between 1s or 2s", 17, "between wants two values with and between them, such as between 1 and 5"),
        ("tls.frobs exists", 0, f"tls.frobs is not known; tls has one of {', '.join(TLS_FACTS)}"),
        ("json $.a == " + "[" * 1500, 12, "nests too deep"),
        ("header == x", 0, "header wants the name of a header after it, such as header content-type contains json"),
        ("json a == 1", 0, "json wants a JSONPath after it, such as json $.items[0].price > 3"),
        ("tls.expires > 3d", 0, "tls.expires is not known; did you mean tls.expires_in?"),
        ("status in 200", 10, "in wants a list in brackets, such as in [200, 204]"),
        ("status in [200", 14, "the list is not closed; put a ] after its last value"),
        ("total between 1s", 16, "between wants two values with and between them, such as between 1 and 5"),
        ("cookie", 0, "cookie wants the name of a cookie after it, such as cookie session exists"),
        ("cookie == x", 0, "cookie wants the name of a cookie after it, such as cookie session exists"),
        ("xpath", 0, "xpath wants an XPath after it, such as xpath //h1 contains Welcome"),
        ("xpath == 3", 0, "xpath wants an XPath after it, such as xpath //h1 contains Welcome"),
        ("css exists", 0, "css wants a CSS selector after it, such as css .price exists"),
        ("not css  '' exists", 9, "css wants a CSS selector, such as .price"),
        ("xpath //a[ exists", 6, "'//a[ exists' is not an XPath: invalid predicate"),
        ("xpath frob(//a) == 3", 6, "'frob(//a)' is not an XPath: unregistered function"),
        ("xpath //x:a exists", 6, "'//x:a' is not an XPath: undefined namespace prefix"),
        ("css '..a' exists", 4, "'..a' is not a CSS selector: expected ident, got <DELIM '.' at 1>"),
        ("css a::before exists", 4, "'a::before' is not a CSS selector: of all pseudo-elements only ::attr(name) can be looked at"),
        ("css ul > li exists", 9, "'li' is not a number"),
        ("json $.a > abc", 11, "'abc' is not a number"),
        ("json $[ == 3", 5, "'$[ == 3' is not a JSONPath: unexpected token in bracketed selection 'TOKEN_EQ'"),
        ("body count > 3", 5, "body cannot be counted; json, xpath and css can"),
        ("xpath count(//a) count > 3", 17, "'count(//a)' finds no nodes, so there is nothing to count; compare it without count"),
        ("css .a count contains 3", 13, "contains makes no sense for css; one of ==, !=, <, <=, >, >=, between, in, exists does"),
        ("json $.a == [1,", 15, "is no JSON: expecting value"),
        ('json $ fits {"type": 5}', 12, "the schema is no JSON Schema: at $.type 5 is not valid under any of the given schemas"),
        (
            'json $ fits {"$ref": "http://x.invalid/a"}',
            12,
            "the schema refers to 'http://x.invalid/a', which is not in it; put it under $defs, nothing is fetched",
        ),
        ('json $ fits {"pattern": "("}', 12, "the schema is no JSON Schema: '(' is not a regular expression: missing ) at position 1"),
        ("body fits a.json", 5, "fits makes no sense for body; one of ==, !=, contains, matches, in, exists does"),
        ("status equals 200", 7, "equals is not a comparison; write =="),
        ("total between 3s and 1s", 14, "between 3s and 1s holds nothing; put the lower one first"),
    ],
)
def test_what_cannot_be_read_says_where_and_the_cure(text, offset, message):
    """Each mistake is refused at its place in the line."""
    with pytest.raises(ExpectationError) as caught:
        parse(text)
    assert (caught.value.offset, str(caught.value)) == (offset, message)


def test_the_long_form_means_the_same():
    """{source, property, comparison, target} gives what the one-line form gives."""
    assert from_parts({"source": "json", "property": "$.a", "comparison": "not in", "target": [1, "x y"]}) == parse("json $.a not in [1, 'x y']")
    assert from_parts({"source": "tls.expires_in", "comparison": ">", "target": "14d"}) == parse("tls.expires_in > 14d")
    assert from_parts({"source": "status", "comparison": "exists"}) == parse("status exists")


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"source": "status", "comparison": "exists", "target": 1}, "exists takes no target; remove it"),
        ({"source": "status", "comparison": "=="}, "== wants a target"),
        ({"source": "total", "comparison": ">", "target": 800}, "800 has no unit; write 800ms or 800s"),
        ({"source": "body", "comparison": "contains", "target": 5}, "5 is not text; put it in quotes"),
        ({"source": "status", "property": "x", "comparison": "==", "target": 200}, "status takes no property; remove 'x'"),
        ({"source": "header", "comparison": "exists"}, "header wants the name of a header"),
        ({"source": "body", "comparison": "matches", "target": 3}, "matches wants a regular expression in quotes"),
        ({"source": "total", "comparison": "between", "target": ["1s"]}, "between wants two values: the lowest and the highest"),
        ({"source": "total", "comparison": "between", "target": "1s"}, "between wants a list, such as [1, 5]"),
        ({"source": "staus", "comparison": "=="}, "'staus' is nothing that can be looked at; did you mean status?"),
        (
            {"source": "json", "property": "$", "comparison": "fits", "target": {"type": 3}},
            "the schema is no JSON Schema: at $.type 3 is not valid under any of the given schemas",
        ),
        (
            {"source": "json", "property": "$", "comparison": "fits", "target": {"patternProperties": {"a": True}, "unevaluatedProperties": False}},
            "the schema is no JSON Schema: patternProperties and unevaluatedProperties cannot be used together here; say additionalProperties",
        ),
        ({"source": "xpath", "property": "//[", "comparison": "exists"}, "'//[' is not an XPath: invalid expression"),
        ({"source": "css", "property": "a", "comparison": "==", "target": [1]}, "[1] is neither text nor a number"),
        ({"source": "css", "comparison": "exists"}, "css wants a CSS selector, such as .price"),
        ({"source": "body", "count": True, "comparison": ">", "target": 1}, "body cannot be counted; json, xpath and css can"),
        ({"source": "json", "property": "$", "comparison": "fits", "target": 3}, "fits wants a JSON Schema, or the name of its file beside the journey"),
        ({"source": "status", "comparison": "in", "target": 200}, "in wants a list, such as [200, 204]"),
    ],
)
def test_a_bad_long_form_is_refused(parts, message):
    """The long form is held to the same rules."""
    with pytest.raises(ExpectationError) as caught:
        from_parts(parts)
    assert str(caught.value) == message


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_within_its_length(text):
    """Nothing but ExpectationError comes out, and its place is in the text."""
    try:
        parse(text)
        offset = 0
    except ExpectationError as fault:
        offset = fault.offset
    assert 0 <= offset <= len(text)


GRAMMAR = "not|xpath|css|json|cookie|header|body|status|count|fits|exists|contains|matches|between|and|in|==|>|3|2xx"
PATHS = "//a|//a[|count(//*)|$x|id('a')|//a/@b|a::attr(b)|a::attr(|:nth-child(x)|:lang(|:not(|:is(a,b)|ul > li|'ul > li'|*:|$|$.a[?@.b|$..*"
TARGETS = '{|[1, 2]|{}|{"type": 5}|{"$ref": "#/a"}|{"$ref": "#"}|\'|"|\'(a\'|\'a{99999999999}\'|${vars.x}|${|\\|é|\0'
PIECES = st.sampled_from([*GRAMMAR.split("|"), *PATHS.split("|"), *TARGETS.split("|")])


@given(st.lists(PIECES, max_size=7).map(" ".join))
def test_any_heap_of_words_is_read_or_refused_within_its_length(text):
    """Half-good paths, selectors, schemas and patterns end in nothing but ExpectationError, and its place is in the text."""
    offset, message = 0, "read"
    try:
        parse(text)
    except ExpectationError as fault:
        offset, message = fault.offset, str(fault)
    assert 0 <= offset <= len(text)
    assert 0 < len(message) < 1000


WORDS = st.text(alphabet=st.characters(exclude_categories=("Cs", "Cc")), max_size=30).filter(lambda text: "${" not in text)


@st.composite
def parts(draw):
    """Any expectation in its long form."""
    source = draw(st.sampled_from(sorted(SOURCES)))
    prop = None
    holds = SOURCES[source].holds
    if source in ("header", "cookie"):
        prop = draw(st.from_regex(r"[a-z][a-z-]{0,20}", fullmatch=True).filter(lambda name: name not in ("contains", "matches", "in", "between", "exists")))
    if source == "json":
        prop = draw(st.sampled_from(["$", "$.a", "$.a[0].b", "$['x y']", "$.a[?(@.b > 3)].c"]))
    if source == "xpath":
        prop = draw(st.sampled_from(["//h1", "//a[@href='x y']/text()", "count(//a)", '//li[contains(., "a")]', "/html//p | //b", "string(//h1)"]))
    if source == "css":
        prop = draw(st.sampled_from([".a", "ul > li", "a[href='x y']", 'b[c="d"]', "input[name=csrf]::attr(value)", "p:not(.x)", "in"]))
    counted = SOURCES[source].counts and prop not in ("count(//a)", "string(//h1)") and draw(st.booleans())
    if counted:
        holds = "number"
    if (facts := SOURCES[source].facts) is not None and draw(st.booleans()):
        prop = draw(st.sampled_from(sorted(facts)))
        holds = facts[prop]
    comparison = draw(st.sampled_from(ALLOWED[holds]))
    one = {
        "status": st.integers(100, 599),
        "number": st.integers(-1000, 1000),
        "duration": st.integers(0, 99999).map(lambda n: f"{n}ms"),
        "size": st.integers(0, 99999).map(lambda n: f"{n}KB"),
        "text": WORDS,
        "texts": WORDS,
        "percent": st.integers(0, 100).map(lambda n: f"{n}%"),
        "json": WORDS | st.integers(-1000, 1000) | st.booleans() | st.sampled_from(["3", "true", "null", "1e3", "not", "and", "-"]),
        "found": WORDS | st.integers(-1000, 1000) | st.booleans() | st.sampled_from(["3", "true"]),
    }[holds]
    if holds in ("json", "found") and comparison in ("<", "<=", ">", ">="):
        one = st.integers(-1000, 1000) | st.floats(-1e6, 1e6)
    if comparison == "fits":
        one = st.sampled_from(["item.json", "a b.json", "${vars.schema}"]) | st.just({"type": "object", "required": ["a"]})
    given_parts = {"source": source, "comparison": draw(st.sampled_from(["", "not "])) + comparison}
    if prop is not None:
        given_parts["property"] = prop
    if counted:
        given_parts["count"] = True
    if comparison == "matches":
        given_parts["target"] = draw(WORDS.map(__import__("re").escape))
    elif comparison == "between":
        low = draw(st.integers(100, 300))
        unit = {"duration": "ms", "size": "KB"}.get(holds)
        given_parts["target"] = [f"{n}{unit}" if unit else n for n in (low, low + 7)]
    elif comparison == "in":
        given_parts["target"] = draw(st.lists(one, min_size=1, max_size=4))
    elif comparison != "exists":
        given_parts["target"] = draw(one)
    return given_parts


@given(parts())
def test_the_written_line_reads_back_the_same(given_parts):
    """The line made from the long form parses to the same expectation."""
    made = from_parts(given_parts)
    read = parse(made.text)
    assert (read.source, read.property, read.counted) == (made.source, made.property, made.counted)
    assert (read.comparison, read.negated, read.target, type(read.target)) == (made.comparison, made.negated, made.target, type(made.target))

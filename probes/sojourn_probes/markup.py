"""XPath and CSS over HTML and XML bodies. The body is a stranger's: nothing it refers to is fetched, and what it may cost is bounded."""

import functools
from typing import Any, Final

MAX_BODY: Final = 5_000_000
"""Characters of a body that is taken apart."""

MAX_TAGS: Final = 200_000
"""Tags in it; each costs a hundred bytes and more."""

MAX_TEXT: Final = 10_000_000
"""Characters of all matches together: of nested ones each has the text of the next in it again."""


class TooMuch(Exception):  # noqa: N818 - says what is the matter
    """The body costs more than it may."""


def require_xpath(path: str) -> bool:
    """Raises ValueError when `path` is no XPath 1.0. Returns whether it finds nodes, which can be counted."""
    from lxml import etree  # 4 MiB: only for journeys that use it

    try:
        found = etree.XPath(path)(etree.fromstring("<html/>"))
    except etree.XPathError as fault:
        raise ValueError(f"{path!r} is not an XPath: {_plain(str(fault))}") from None
    except ValueError:  # lxml takes no control characters
        raise ValueError(f"{path!r} is not an XPath: it has a control character in it") from None
    return isinstance(found, list)


def _plain(said: str) -> str:
    said = said.strip().rstrip(".") or "invalid expression"
    return said[:1].lower() + said[1:]


def require_css(selector: str) -> None:
    """Raises ValueError when `selector` is no CSS selector, or has a pseudo-element other than `::attr(name)`."""
    import cssselect

    try:
        _css(selector)
    except (cssselect.SelectorError, ValueError) as fault:
        raise ValueError(f"{selector!r} is not a CSS selector: {_plain(str(fault))}") from None


def found_by_xpath(path: str, body: str, kind: str, kept: dict[str, Any]) -> list[str] | str | float | bool | None:
    """What `path` finds in `body`, whose content type is `kind`: the texts of nodes, or the value of the expression; None without markup.

    `kept` holds the tree from one look to the next. Raises `TooMuch`.
    """
    tree = _tree(body, kind, kept)
    return None if tree is None else _texts(_xpath(path)(tree))


def found_by_css(selector: str, body: str, kind: str, kept: dict[str, Any]) -> list[str] | None:
    """The texts of what `selector` finds in `body`, with `::attr(name)` the values of that attribute. Raises `TooMuch`."""
    tree = _tree(body, kind, kept)
    if tree is None:
        return None
    texts = _texts(_css(selector)(tree))
    assert isinstance(texts, list)
    return texts


def _tree(body: str, kind: str, kept: dict[str, Any]) -> Any:
    if "tree" not in kept:
        kept["tree"] = _parsed(body, kind)
    return kept["tree"]


def _parsed(body: str, kind: str) -> Any:
    from lxml import etree

    if len(body) > MAX_BODY:
        raise TooMuch(f"the body is longer than the {MAX_BODY} characters that are taken apart")
    if body.count("<") > MAX_TAGS:
        raise TooMuch(f"the body has more than {MAX_TAGS} tags")
    if _is_xml(kind) and "<!ENTITY" in body:
        raise TooMuch("the body defines entities of its own, and a small one may stand for a gigabyte")
    raw = body.encode("utf-8", "replace")
    try:
        if _is_xml(kind):
            strict = etree.XMLParser(encoding="utf-8", resolve_entities=False, load_dtd=False, no_network=True, huge_tree=False)
            return etree.fromstring(raw, strict)
        return etree.fromstring(raw, etree.HTMLParser(encoding="utf-8", no_network=True, huge_tree=False))
    except (etree.LxmlError, ValueError):
        return None


def _is_xml(kind: str) -> bool:
    """XHTML is read as HTML: its namespace would hide every name."""
    word = kind.partition(";")[0].strip().lower()
    return word.endswith(("/xml", "+xml")) and word != "application/xhtml+xml"


@functools.lru_cache(maxsize=256)
def _xpath(path: str) -> Any:
    from lxml import etree

    return etree.XPath(path)


@functools.lru_cache(maxsize=256)
def _css(selector: str) -> Any:
    import cssselect
    from cssselect.parser import FunctionalPseudoElement

    translator = cssselect.HTMLTranslator()
    paths = []
    for one in cssselect.parse(selector):
        pseudo = one.pseudo_element
        attribute = ""
        if isinstance(pseudo, FunctionalPseudoElement) and pseudo.name == "attr" and pseudo.argument_types() == ["IDENT"]:
            attribute = f"/@{str(pseudo.arguments[0].value).lower()}"
        elif pseudo is not None:
            raise ValueError("of all pseudo-elements only ::attr(name) can be looked at")
        paths.append(f"{translator.selector_to_xpath(one)}{attribute}")
    return _xpath(" | ".join(paths))


def _texts(found: Any) -> list[str] | str | float | bool:
    if isinstance(found, float):
        return int(found) if found.is_integer() else found
    if not isinstance(found, list):
        return found if isinstance(found, bool) else " ".join(str(found).split())
    texts: list[str] = []
    left = MAX_TEXT
    for node in found:
        texts.append(_text(node))
        left -= len(texts[-1])
        if left < 0:
            raise TooMuch(f"what is found has more than {MAX_TEXT} characters together")
    return texts


def _text(node: Any) -> str:
    """A node's text as one reads it, on one line; an attribute as it stands."""
    if isinstance(node, str):
        return str(node) if getattr(node, "is_attribute", False) else " ".join(node.split())
    if isinstance(node, tuple):  # a namespace
        return ":".join(str(part) for part in node)
    return " ".join(str(_xpath("string()")(node)).split())

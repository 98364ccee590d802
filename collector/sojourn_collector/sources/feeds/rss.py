"""RSS 0.9x, 1.0 and 2.0, and Atom: forums, blogs, status pages, searches.

Read by libxml2 with entities unresolved and nothing fetched; a feed that declares entities of its own is refused, so that none can grow (decision 0018).
Sources: RSS 2.0 specification, RDF Site Summary 1.0 with its modules Dublin Core and Content, RFC 4287.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.entities import html5
from typing import Any, Final
from urllib.parse import urljoin

from lxml import etree

from sojourn_collector.feeds_config import FeedSettings
from sojourn_collector.sources.feed import LONGEST_KEPT, Ask, Entry, Feed, FeedError, Page, cut
from sojourn_collector.sources.html_text import text_of
from sojourn_collector.sources.reading import moment, text_at

ACCEPT: Final = "application/atom+xml, application/rss+xml, application/rdf+xml;q=0.9, application/xml;q=0.8, text/xml;q=0.7, */*;q=0.1"
MOST_TAGS: Final = 300_000
MOST_ENTRIES: Final = 5000
_NO_FEED = "it is neither RSS nor Atom but begins with <{}>; give the address of the feed itself, not of a page"
_PREDEFINED = frozenset((b"amp", b"lt", b"gt", b"quot", b"apos"))
_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_ENTITY = re.compile(rb"&(?:(#\d{1,7}|#x[0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)?")
_XHTML = "{http://www.w3.org/1999/xhtml}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"


def asks(settings: FeedSettings) -> Sequence[Ask]:
    """The feed."""
    return [Ask(settings.url, ACCEPT)]


def read(body: bytes, url: str, settings: FeedSettings) -> Page:
    """Entries of a feed. Common small mistakes are mended; what is not well-formed even so, or ends in the middle, is not taken. Raises FeedError."""
    root = _root(body)
    kind = _local(root)
    if kind == "rss":
        items = [one for channel in _children(root, "channel") for one in _children(channel, "item")]
    elif kind == "RDF":
        items = list(_children(root, "item"))
    elif kind == "feed":
        items = list(_children(root, "entry"))
    else:
        raise FeedError(_NO_FEED.format(_shown(kind)[:40]))
    return Page([entry for one in items[:MOST_ENTRIES] if (entry := _entry(one, url)) is not None])


def _root(body: bytes) -> etree._Element:
    """The outermost element. Raises FeedError."""
    if body.count(b"<") > MOST_TAGS:
        raise FeedError(f"it has more than {MOST_TAGS} tags")
    if body[:200].lstrip().lower().startswith(b"<!doctype html"):
        raise FeedError(_NO_FEED.format("html"))
    try:
        root = etree.fromstring(body, _parser())
    except (etree.XMLSyntaxError, ValueError) as error:
        try:
            root = etree.fromstring(mended(body), _parser())
        except (etree.XMLSyntaxError, ValueError):
            # What is wrong with the body itself: its lines are what somebody can look at.
            raise FeedError(f"it is no well-formed XML: {_shown(getattr(error, 'msg', None) or str(error))}") from error
    declared: Any = root.getroottree().docinfo.internalDTD
    if declared is not None and next(declared.iterentities(), None) is not None:
        raise FeedError("it declares entities of its own, which no feed needs")
    return root


def _parser() -> etree.XMLParser:
    # Not `recover`: after the first mistake libxml2 passes over every &lt; and &amp; that follows.
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True)


def mended(body: bytes) -> bytes:
    """Without the mistakes that feeds commonly have: blanks before the XML declaration, control characters, HTML's entities, an & that stands for itself."""
    if body.startswith((b"\xff\xfe", b"\xfe\xff")):
        return body
    return _ENTITY.sub(_numeric, _CONTROL.sub(b"", body.lstrip()))


def _numeric(found: re.Match[bytes]) -> bytes:
    name = found[1]
    if name is None:
        return b"&amp;"
    if name in _PREDEFINED or name.startswith(b"#"):
        return found[0]
    meant = html5.get(name.decode("ascii") + ";")
    return b"&amp;" + name + b";" if meant is None else "".join(f"&#{ord(char)};" for char in meant).encode("ascii")


def _shown(text: str) -> str:
    return cut("".join(char if char.isprintable() else " " for char in text), 200)


def _entry(item: etree._Element, base: str) -> Entry | None:
    link = _link(item, base)
    kept = {
        "title": _first(item, "title"),
        "text": _first(item, "encoded", "content", "description", "summary"),
        "date": _first(item, "pubDate", "published", "date", "updated", "issued", "modified"),
        "url": link,
        "language": item.get(_LANG, ""),
    }
    kept = {name: cut(text, LONGEST_KEPT) for name, text in kept.items() if text}
    if not (kept.get("title") or kept.get("text")):
        return None
    named = _first(item, "guid", "id") or item.get("{http://www.w3.org/1999/02/22-rdf-syntax-ns#}about", "") or link
    ident = named if named and len(named) <= 256 and named.isprintable() else _digest(named or kept.get("title", "") + "\n" + kept.get("text", ""))
    return Entry(ident, _author(item), kept)


def _digest(text: str) -> str:
    return "id-" + hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:40]


def _author(item: etree._Element) -> str:
    """The name alone; RSS 2.0 writes `address (name)`."""
    for one in _children(item, "author", "creator"):
        name = _text(next(_children(one, "name"), one))
        if "(" in name and name.endswith(")") and "@" in name.partition("(")[0]:
            name = name.partition("(")[2][:-1]
        if name:
            return cut(name, 256)
    return ""


def _link(item: etree._Element, base: str) -> str:
    """The address of the entry itself, whole."""
    for one in _children(item, "link"):
        if one.get("rel", "alternate") == "alternate":
            found = one.get("href") or _text(one)
            try:
                whole = urljoin(base, found.strip()) if found.strip() else ""
            except ValueError:
                continue
            if whole.startswith(("http://", "https://")):
                return whole
    return ""


def _children(parent: etree._Element, *names: str) -> Iterator[etree._Element]:
    """Children of these names, whatever their namespace, the names in their order."""
    for name in names:
        yield from (one for one in parent if isinstance(one.tag, str) and _local(one) == name)


def _first(item: etree._Element, *names: str) -> str:
    return next((text for one in _children(item, *names) if (text := _text(one))), "")


def _text(element: etree._Element) -> str:
    """The text in it; of XHTML the markup, so that its blocks are not run together."""
    if any(isinstance(one.tag, str) and one.tag.startswith(_XHTML) for one in element):
        return "".join(etree.tostring(one, encoding="unicode") for one in element).strip()
    return "".join(str(text) for text in element.itertext()).strip()


def _local(element: etree._Element) -> str:
    return str(element.tag).rpartition("}")[2]


def said(entry: Mapping[str, Any], settings: FeedSettings) -> Mapping[str, Any]:
    """An entry as a mention."""
    return {
        "at": _time(text_at(entry, "date")),
        "title": text_of(text_at(entry, "title")).replace("\n", " "),
        "text": text_of(text_at(entry, "text")),
        "url": text_at(entry, "url"),
        "language": text_at(entry, "language"),
    }


def _time(text: str) -> str:
    """A time as RFC 3339; feeds write it as RFC 822 or RFC 3339 does."""
    if text[:4].isdigit():
        return moment(text)
    try:
        read = parsedate_to_datetime(text)
        return (read if read.tzinfo is not None else read.replace(tzinfo=UTC)).astimezone(UTC).isoformat() if isinstance(read, datetime) else ""
    except (ValueError, TypeError, IndexError, OverflowError):
        return ""


FEED = Feed("rss", "", asks, read, said)

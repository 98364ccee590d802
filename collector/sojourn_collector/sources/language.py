"""In which language an answer, a comment or a mention is written: as its sender says, else as its words show, else unknown.

Words are only believed where the model is sure; most texts of one or two words stay unknown. Why this model and this bound: docs/decisions/0018.
"""

import asyncio
import re
from collections.abc import Mapping, MutableMapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

GIVEN: Final = "given"
DETECTED: Final = "detected"
SURE: Final = 0.6
"""How sure the model must be, 0 to 1."""
FEWEST_LETTERS: Final = 8
FEWEST_SIGNS: Final = 3
"""Of scripts whose signs stand for syllables or words."""
MOST: Final = 2000
"""Characters that are looked at."""
_NONE = frozenset(("und", "mul", "zxx", "mis"))
"""Codes of ISO 639 that name no language."""
_TAG = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|\d{3}))?((?:[-_][A-Za-z0-9]{1,8}){0,4})")
_NOT_WORDS = re.compile(r"https?://\S+|www\.\S+|\[(?:email|phone|card|iban)\]|[@#]\w+|&\w+;|[\d_]+")
_SIGNS = re.compile(r"[\u0e00-\u0eff\u1100-\u11ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")


def language_tag(given: str) -> str:
    """A language as senders write it, as BCP 47 does: `de`, `pt-BR`. Empty for none; what is no tag, such as `German`, stays as it was given."""
    if given.casefold() in _NONE:
        return ""
    found = _TAG.fullmatch(given)
    if found is None:
        return given
    language, script, region, more = found.groups()
    parts = [language.lower(), *([script.title()] if script else []), *([region.upper()] if region else [])]
    return "-".join(parts) + more.replace("_", "-").lower()


def said_language(given: str) -> dict[str, str]:
    """The columns of a row by what its sender says."""
    tag = language_tag(given)
    return {"language": tag, "language_by": GIVEN if tag else ""}


def detect(text: str) -> str:
    """The language of a text, ISO 639; empty where that is not sure. Loads the model at the first call, so it is for a thread."""
    words = _NOT_WORDS.sub(" ", text[:MOST])
    letters = sum(char.isalpha() for char in words)
    if letters < (FEWEST_SIGNS if _SIGNS.search(words) else FEWEST_LETTERS):
        return ""
    language, sure = _model().classify(" ".join(words.split()))
    return str(language) if sure >= SURE and language not in _NONE else ""


@cache
def _model() -> "LanguageIdentifier":
    # 100 MB and half a second: only where there are words to look at.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


async def tell_languages(rows: Sequence[MutableMapping[str, Any]]) -> None:
    """Note the language of rows of the table `feedback` whose sender did not say it."""
    unknown = [row for row in rows if not row.get("language") and words_of(row)]
    if not unknown:
        return
    found = await asyncio.to_thread(lambda: [detect(words_of(row)) for row in unknown])
    for row, language in zip(unknown, found, strict=True):
        if language:
            row.update(language=language, language_by=DETECTED)


def words_of(row: Mapping[str, Any]) -> str:
    """What was said, heading first."""
    return "\n".join(text for text in (row.get("title"), row.get("comment")) if text)

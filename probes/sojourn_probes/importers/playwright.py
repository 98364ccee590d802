"""Playwright scripts, Python or JavaScript, such as codegen writes them: each line becomes an action, unknown lines are said."""

import re
from typing import Any, Final

from sojourn_probes.importers.browser_draft import Actions
from sojourn_probes.importers.draft import Draft, Work, seconds
from sojourn_probes.importers.lift import escaped, shown_line
from sojourn_probes.importers.literal import Call, Chain, Reader
from sojourn_probes.importers.source import ImportFault
from sojourn_probes.importers.targets import NoTarget, frame_of, target_of

_STATEMENT = re.compile(r"[ \t]*(?:await[ \t]+)?(?=(?:page\d*|expect|context|browser|popup|download|frame)\b[\w]*[ \t]*[.(\n])")
_TEST = re.compile(r"""[ \t]*(?:test|it)(?:\.(?:only|skip|fixme))?\(\s*(["'`])(.{1,200}?)\1""")
_PYTHON_TEST = re.compile(r"[ \t]*(?:async[ \t]+)?def[ \t]+(test_\w{1,100})\(")
_STEP = re.compile(r"""[ \t]*(?:await[ \t]+)?test\.step\(\s*(["'`])(.{1,200}?)\1""")
_SILENT = re.compile(
    r"""\s*(?:$|\#.*|//.*|/\*.*|\*.*|import\b.*|from\b.*|(?:async\s+)?def\b.*|(?:async\s+)?with\s+(?:async_|sync_)playwright.*|@.*|[})\];,\s]+|['"]use\s.*|(?:const|let|var)\s+\{.*require\(.*
    |(?:const|let|var)?\s*(?:browser|context|page)\s*=\s*(?:await\s+)?(?:playwright|chromium|browser|context|p|firefox|webkit)\b.*|(?:await\s+)?(?:context|browser|page)\.close\(\).*|\#\s*-+.*|//\s*-+.*
    |test\.(?:describe|use|beforeEach|afterEach|setTimeout)\(.*|(?:await\s+)?(?:asyncio\.run|main|run)\(.*|\(async.*|(?:headless|slowMo|channel):.*|\}\s*\)\s*\(?\)?;?|await\s+run\(.*|with\s+sync_playwright.*|test\(.*)\s*\Z""",
    re.VERBOSE,
)
_POPUP = re.compile(
    r"""\s*(?:(?:async\s+)?with\s+page\d*\.expect_popup\(\)\s+as\s+\w+:|(?:const|let|var)\s+\w+\s*=\s*page\d*\.waitForEvent\(["']popup["']\);?)\s*\Z"""
)
_POPUP_PAGE = re.compile(r"\s*(?:(?:const|let|var)\s+)?page\d+\s*=\s*(?:await\s+)?\w+(?:\.value)?;?\s*\Z")
MAX_STATEMENTS: Final = 5000
_STATES: Final = {
    ("tobeenabled", False): "enabled", ("tobeenabled", True): "disabled", ("tobedisabled", False): "disabled", ("tobedisabled", True): "enabled",
    ("tobechecked", False): "checked", ("tobechecked", True): "unchecked",
}  # fmt: skip
_PAGE = re.compile(r"page\d*")
_CLICKS: Final = {"click": "click", "tap": "click", "hover": "hover"}


def read(text: str, work: Work) -> None:
    """One journey for each test in the script, or one for all of it."""
    python = (
        re.search(r"^\s*(?:from|import)\s+(?:playwright|re\b|pytest)|^\s*(?:async\s+)?def\s+\w+\(|^\s*page\.goto\([^;\n]*\)\s*$", text, re.MULTILINE)
        is not None
    )
    if not re.search(r"\bpage\d*\s*\.", text):
        raise ImportFault("is no Playwright script (nothing is done with page); record one with `playwright codegen`")
    script = _Script(text, work, python=python)
    script.read()
    if not any(draft.steps for draft in work.drafts):
        raise ImportFault("holds no action that a journey can say; see docs/authoring.md for those it can")


class _Script:
    def __init__(self, text: str, work: Work, *, python: bool) -> None:
        self.text, self.work, self.python = text.replace("\r\n", "\n"), work, python
        self.reader = Reader(self.text, python=python)
        self.actions: Actions | None = None
        self.count = 0

    def read(self) -> None:
        """Go through the script line by line; a statement may go on over several lines."""
        at = 0
        while at < len(self.text):
            end = self.text.find("\n", at)
            end = len(self.text) if end < 0 else end
            at = max(self._line(at, end), end + 1)
        if self.actions is not None:
            self.actions.flush()

    def _line(self, at: int, end: int) -> int:
        line = self.text[at:end]
        if len(line) > 20_000:
            raise ImportFault("has a line of more than 20000 characters; a script of this kind has not", self.reader.line(at))
        step, test = _STEP.match(line), _TEST.match(line) or _PYTHON_TEST.match(line)
        if step is not None and self.actions is not None:
            self.actions.flush()
            self.actions.name = step.group(2)
            return at
        if test is not None:
            self._begin(test.group(test.lastindex or 1).removeprefix("test_").replace("_", " "))
            return at
        if _POPUP.match(line) and self.actions is not None:
            self.actions.popup = True
            return at
        begins = _STATEMENT.match(self.text, at)
        if begins is not None and begins.start() == at and not _SILENT.match(line):
            return self._statement(begins.end(), line)
        if not _SILENT.match(line) and not _POPUP_PAGE.match(line):
            self._lose(at, line)
        return at

    def _begin(self, name: str) -> None:
        if self.actions is not None:
            self.actions.flush()
        self.actions = Actions(self.work.draft(name), self.work)

    def _lose(self, at: int, line: str, why: str = "is nothing a journey can say") -> None:
        number = self.reader.line(at)
        self.work.lose(f"line {number}", f"{shown_line(line)!r} was left out: {why}", number)

    def _statement(self, at: int, line: str) -> int:
        self.count += 1
        if self.count > MAX_STATEMENTS:
            raise ImportFault(f"has more than {MAX_STATEMENTS} statements; split it", self.reader.line(at))
        self.reader.at = at
        value = self.reader.value()
        place = f"line {self.reader.line(at)}"
        try:
            if not isinstance(value, Chain):
                raise NoTarget("is nothing a journey can say")
            self._do(value, place)
        except NoTarget as fault:
            self._lose(at, line, str(fault))
        return self.reader.at

    def _do(self, chain: Chain, place: str) -> None:
        if self.actions is None:
            self.actions = Actions(self.work.draft(self.work.source.rpartition("/")[2].partition(".")[0] or "recorded"), self.work)
        first, *links = chain.links
        if first.name == "expect" and first.args and links:
            self._expect(first.args[0], links, self.actions)
        elif not _PAGE.fullmatch(first.name):
            raise NoTarget(f"acts on {first.name}, which is no page")
        elif links:
            if first.name != "page" and links[-1].name == "close":
                self.actions.close_tab()
                return
            self.actions.on("first" if first.name == "page" else "last")
            perform(links, self.actions, place)

    def _expect(self, subject: Any, links: list[Call], actions: Actions) -> None:
        if not isinstance(subject, Chain) or not _PAGE.fullmatch(subject.links[0].name):
            raise NoTarget("expects something of what is not on the page")
        actions.on("first" if subject.links[0].name == "page" else "last")
        negated = any(link.name == "not" or link.name.startswith("not_") for link in links)
        expectation(subject.links[1:], links[-1], actions, negated=negated)


def perform(links: list[Call], actions: Actions, place: str, *, secret: bool = False) -> None:
    """One statement on `page`: its locator links, then what is done. Raises `NoTarget`."""
    actions.frame, links = frame_of(links)
    if not links:
        raise NoTarget("nothing is done there")
    *where, last = links
    word = last.name.lower().replace("_", "")
    args = last.args or []
    if word == "goto" and not where:
        _goto(args, last, actions, place)
    elif word == "waitforurl" and not where:
        if not args or not isinstance(args[0], str):
            raise NoTarget("an address by regular expression or function cannot be said; write it with * and **")
        actions.plain("wait_for", {"url": args[0]})
    elif where and where[0].name == "keyboard" and word == "press":
        actions.plain("press", _text(args))
    elif word in ("reload", "goback", "goforward", "waitforloadstate", "waitfortimeout", "pause", "bringtofront", "setviewportsize"):
        raise NoTarget(f"{last.name} is nothing a journey does" + ("; waiting is done by every action itself" if word.startswith("wait") else ""))
    else:
        if where:
            target = target_of(where)
        elif args and isinstance(args[0], str):
            target, args = target_of([Call("locator", [args[0]])]), args[1:]
        else:
            raise NoTarget(f"{last.name} is nothing a journey does")
        _on_target(word, last, args, target, actions, place, secret=secret)


def _goto(args: list[Any], last: Call, actions: Actions, place: str) -> None:
    url = (args or [last.named.get("url")])[0]
    if not isinstance(url, str):
        raise NoTarget("the address is no text")
    if url not in ("about:blank", ""):
        actions.goto(url, place)


def _on_target(word: str, last: Call, args: list[Any], target: dict[str, Any], actions: Actions, place: str, *, secret: bool) -> None:
    options = {**last.named, **next((arg for arg in args if isinstance(arg, dict)), {})}
    if word in _CLICKS:
        if options.get("button", "left") != "left" or options.get("modifiers") or options.get("clickCount", options.get("click_count", 1)) != 1:
            raise NoTarget("a click with another button, several times or with keys held cannot be said")
        actions.act(_CLICKS[word], target)
    elif word in ("fill", "type", "presssequentially"):
        actions.fill(target, _text(args), place, secret=secret)
    elif word == "clear":
        actions.act("fill", target, value="")
    elif word == "press":
        actions.act("press", target, key=_text(args))
    elif word in ("check", "uncheck"):
        actions.act("check", target, on=None if word == "check" else False)
    elif word == "setchecked":
        actions.act("check", target, on=None if args and args[0] is True else False)
    elif word == "selectoption":
        _select(args, options, target, actions)
    elif word == "waitfor":
        actions.act("wait_for", target, state="hidden" if options.get("state") in ("hidden", "detached") else None)
    elif word == "setinputfiles":
        _upload(args, target, actions, place)
    elif word == "scrollintoviewifneeded" or word == "focus":
        return  # every action does so itself
    else:
        raise NoTarget(f"{last.name} is nothing a journey does")


def _select(args: list[Any], options: dict[str, Any], target: dict[str, Any], actions: Actions) -> None:
    value = args[0] if args and not isinstance(args[0], dict) else None
    chosen = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(chosen, str):
        actions.act("select", target, value=chosen)
    elif isinstance(options.get("label"), str):
        actions.act("select", target, option=options["label"])
    elif isinstance(options.get("value"), str):
        actions.act("select", target, value=options["value"])
    else:
        raise NoTarget("choosing several options, or by number, cannot be said")


def _upload(args: list[Any], target: dict[str, Any], actions: Actions, place: str) -> None:
    given = args[0] if args else None
    files = [name.rsplit("/", 1)[-1] for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
    if not files:
        raise NoTarget("uploading what is no file cannot be said")
    actions.act("upload", target, **({"file": files[0]} if len(files) == 1 else {"files": files}))
    actions.work.lose(place, f"put what is uploaded beside the journey: {', '.join(files)[:100]}")


def expectation(where: list[Call], last: Call, actions: Actions, *, negated: bool) -> None:
    """What `expect(page….)` wants. Raises `NoTarget`."""
    word = last.name.lower().replace("_", "").removeprefix("not")
    args = last.args or []
    options = {**last.named, **next((arg for arg in args if isinstance(arg, dict)), {})}
    limit = options.get("timeout")
    wait = seconds(limit / 1000) if isinstance(limit, int | float) and 0 < limit <= 600_000 else None
    actions.frame, where = frame_of(where)
    if word in ("tohaveurl", "tohavetitle") and not where and not negated:
        if not args or not isinstance(args[0], str):
            raise NoTarget("an address or title by regular expression cannot be said; write it as text")
        actions.plain("expect", {word.removeprefix("tohave"): args[0], **({"timeout": wait} if wait else {})})
        return
    if not where:
        raise NoTarget(f"{last.name} of the page cannot be said")
    target = target_of(where)
    state = _STATES.get((word, negated))
    if word in ("tobevisible", "tobehidden", "tobeattached"):
        hidden = (word == "tobehidden") != negated
        actions.act("expect", target, state="hidden" if hidden else None, timeout=wait)
    elif state is not None:
        actions.act("expect", target, state=state, timeout=wait)
    elif word == "tohavecount" and not negated and args and isinstance(args[0], int):
        actions.act("expect", target, count=args[0], timeout=wait)
    elif word == "tohavevalue" and not negated:
        actions.act("expect", target, value=_text(args), timeout=wait)
    elif word in ("tocontaintext", "tohavetext") and not negated and args and isinstance(args[0], str) and args[0]:
        actions.act("expect", target, contains=args[0], timeout=wait)
    else:
        raise NoTarget(f"{'not ' if negated else ''}{last.name} cannot be said")


def _text(args: list[Any]) -> str:
    if not args or not isinstance(args[0], str):
        raise NoTarget("the value is no text")
    return args[0]


def draft_for(name: str, work: Work) -> tuple[Draft, Actions]:
    """A journey to add recorded actions to."""
    draft = work.draft(escaped(name))
    return draft, Actions(draft, work)

"""Collects browser actions into steps: a new step where a page is opened, passwords lifted."""

from typing import Any, Final

from sojourn_probes.importers.draft import Draft, Work, shown_host
from sojourn_probes.importers.lift import without_userinfo
from sojourn_probes.importers.targets import short
from sojourn_probes.secret_names import is_secret_field, is_secret_name

MAX_ACTIONS: Final = 40
"""More actions than these begin a further step."""


class Actions:
    """Adds actions to a journey, in their order."""

    def __init__(self, draft: Draft, work: Work) -> None:
        self.draft, self.work = draft, work
        self.name = ""
        self.actions: list[dict[str, Any]] = []
        self.frame: dict[str, Any] | None = None
        """The frame that what is added next happens in."""
        self.popup = False
        """Whether the next click opens a tab."""
        self.tab = "first"

    def goto(self, url: str, place: str, name: str = "") -> None:
        """Open a page."""
        clean, auth = self.work.vault.url(url, place)
        if auth is not None:
            self.work.lose(place, "user and password in the address were left out; they may stand under the settings of browser steps")
        if self.actions and all("goto" in action for action in self.actions):
            if self.actions[-1] == {"goto": clean}:
                return
        elif self.actions:
            self.flush()
        self.name = name or self.name or f"Open {_shown(clean)}"
        self.actions.append({"goto": clean})

    def act(self, action: str, target: dict[str, Any], **more: Any) -> None:
        """One action on one thing."""
        if len(self.actions) >= MAX_ACTIONS:
            self.flush()
        if self.popup and action == "click":
            self.popup, self.tab = False, "last"
            self._add({"new_tab": {"click": short(action, target)}})
            return
        said = target | {key: value for key, value in more.items() if value is not None}
        self._add({action: short(action, said)})

    def fill(self, target: dict[str, Any], value: str, place: str, *, secret: bool = False) -> None:
        """Fill a field; a password, or what is named like one, becomes a reference."""
        name = next((str(target[key]) for key in ("label", "name", "placeholder", "test_id", "css") if key in target), "")
        secret = secret or is_secret_name(name) or is_secret_field(target)
        lifted = self.work.vault.field(value, name or "password", place) if secret else self.work.vault.raw(value, place, name)
        self.act("fill", target, value=lifted)

    def plain(self, action: str, value: Any) -> None:
        """An action without a target."""
        self.actions.append({action: value})

    def on(self, tab: str) -> None:
        """What follows happens in the `first` or the `last` tab."""
        if tab != self.tab:
            self.actions.append({"tab": tab})
            self.tab = tab

    def close_tab(self) -> None:
        """End the last tab and go back to the first."""
        self.on("last")
        self.actions.append({"tab": "close"})
        self.tab = "first"

    def _add(self, action: dict[str, Any]) -> None:
        if self.frame is None:
            self.actions.append(action)
            return
        last = self.actions[-1].get("frame") if self.actions else None
        if last is not None and last["css"] == self.frame["css"]:
            last["actions"].append(action)
        else:
            self.actions.append({"frame": {**self.frame, "actions": [action]}})

    def flush(self, name: str = "") -> None:
        """End the step."""
        if self.actions:
            self.draft.add(name or self.name or f"Part {len(self.draft.steps) + 1}", "browser", self.actions)
        self.actions, self.name = [], ""


def _shown(url: str) -> str:
    path = without_userinfo(url)
    rest = path.partition("://")[2].partition("/")[2] if "://" in path else path.lstrip("/")
    return f"/{rest}" if rest else shown_host(url) or "the page"

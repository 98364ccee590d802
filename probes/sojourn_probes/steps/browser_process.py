"""One running browser with its driver: started with a private folder for all it leaves, measured, and ended with its process group.

Playwright starts Chromium in a process group of its own but does not say which; a switch only we use finds it in /proc.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sojourn_probes.chromium import Choice
from sojourn_probes.steps.browser_trust import trust

if TYPE_CHECKING:
    from playwright.async_api import Browser, Playwright

CLOSE_SECONDS: Final = 4.0
"""What closing may take before the process group is killed."""
LAUNCH_SECONDS: Final = 30.0
ONE_PROCESS: Final = "--disable-site-isolation-trials"
"""Frames of other sites stay in their page's process, where DevTools sees and stops their requests with those of the page."""
PREFIX: Final = "sojourn-browser-"
"""Private folders are called so, with the process that made them: `sojourn-browser-<pid>-…`."""


@dataclass(slots=True, eq=False)
class Running:
    """One running browser with its driver. `private` is a folder of its own: profile, downloads and traces in the making."""

    playwright: "Playwright"
    browser: "Browser"
    private: Path
    group: int | None
    driver: int | None
    served: int = 0
    users: int = 0
    used: float = 0.0
    retired: bool = False
    ending: bool = False
    doubt: "asyncio.Task[None] | None" = None

    def kill(self) -> None:
        """End the browser at once. Works on a stopped process too; the driver sees it go and ends its side."""
        self.retired = True
        if self.group is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)

    def _kill_all(self) -> None:
        self.kill()
        if self.driver is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(self.driver, signal.SIGKILL)

    async def close(self) -> None:
        """End both in an orderly way, and by force when that takes too long. Nothing of it stays on disk."""
        self.retired = True
        from playwright.async_api import Error

        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await self.browser.close()
                await self.playwright.stop()
        except (TimeoutError, Error):
            self._kill_all()
        except BaseException:
            self._kill_all()
            raise
        finally:
            await asyncio.shield(asyncio.to_thread(shutil.rmtree, self.private, True))

    def memory(self) -> int:
        """Bytes of all its processes: what each has for itself, and the most that any shares."""
        return 0 if self.group is None else group_memory(self.group)


async def start(choice: Choice, authorities: bytes, *, headed: bool = False) -> Running:
    """Start the browser `choice`, with `authorities` (PEM) trusted besides. Raises Playwright's `Error` and `NotTrusted`."""
    from playwright.async_api import async_playwright

    private = Path(await asyncio.to_thread(tempfile.mkdtemp, prefix=f"{PREFIX}{os.getpid()}-"))
    token = f"--sojourn-browser={uuid.uuid4().hex}"
    try:
        for_driver, for_browser = {"TMPDIR": str(private)}, {"TMPDIR": str(private)}
        if authorities:
            # The driver checks servers itself where a client certificate is shown.
            for_driver["NODE_EXTRA_CA_CERTS"] = str(private / "authorities.pem")
            for_browser["HOME"] = str(private)
            await asyncio.to_thread((private / "authorities.pem").write_bytes, authorities)
            await trust(private, authorities)
        with _environment(for_driver):
            playwright = await async_playwright().start()
        try:
            browser = await playwright.chromium.launch(
                executable_path=choice.path,
                headless=not headed,
                args=[*choice.args, ONE_PROCESS, token],
                timeout=LAUNCH_SECONDS * 1000,
                chromium_sandbox="--no-sandbox" not in choice.args,
                env={**os.environ, **for_browser},
                handle_sigint=False,
                handle_sigterm=False,
                handle_sighup=False,
            )
        except BaseException:
            await playwright.stop()
            raise
    except BaseException:
        await asyncio.to_thread(shutil.rmtree, private, True)
        raise
    return Running(playwright, browser, private, *_group_and_parent(_process_with(token)))


async def still_answers(running: Running) -> None:
    """Kill a browser that cannot even say its version."""
    from playwright.async_api import Error

    try:
        async with asyncio.timeout(CLOSE_SECONDS):
            session = await running.browser.new_browser_cdp_session()
            await session.send("Browser.getVersion")
            await session.detach()
    except (TimeoutError, Error):
        running.kill()


def sweep(folder: Path | None = None) -> None:
    """Remove private folders of processes that are gone: one that was killed could not clear up."""
    for path in (folder or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        owner = path.name.removeprefix(PREFIX).partition("-")[0]
        if owner.isdigit() and not Path(f"/proc/{owner}").exists():
            shutil.rmtree(path, ignore_errors=True)


def group_memory(group: int) -> int:
    """Bytes of the processes of `group`: what each has for itself, and once the most that any of them shares."""
    page, private, shared = os.sysconf("SC_PAGE_SIZE"), 0, 0
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            if int((folder / "stat").read_text().rpartition(")")[2].split()[2]) == group:
                _, resident, common = (int(word) for word in (folder / "statm").read_text().split()[:3])
                private, shared = private + resident - common, max(shared, common)
    return (private + shared) * page


@contextlib.contextmanager
def _environment(more: Mapping[str, str]) -> Iterator[None]:
    """Playwright gives its driver the environment of this process and takes no other; so ours is another for that moment.

    `tempfile` has looked up its folder by now and keeps to it."""
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _process_with(token: str) -> int | None:
    """The process that was started with `token` among its arguments and is no child of another such."""
    found: dict[int, int] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError, ValueError):
            if token.encode() in (folder / "cmdline").read_bytes().split(b"\0"):
                found[int(folder.name)] = _parent(int(folder.name))
    return next((pid for pid, parent in found.items() if parent not in found), None)


def _parent(pid: int) -> int:
    # After the command, which is in brackets and may hold anything: state, parent, group (proc(5)).
    return int((Path("/proc") / str(pid) / "stat").read_text().rpartition(")")[2].split()[1])


def _group_and_parent(pid: int | None) -> tuple[int | None, int | None]:
    """The process group to kill, never our own, and the driver that started it."""
    if pid is None:
        return None, None
    try:
        group, driver = os.getpgid(pid), _parent(pid)
    except (OSError, ValueError):
        return None, None
    return group if group != os.getpgrp() else None, driver if driver > 1 and driver != os.getpid() else None

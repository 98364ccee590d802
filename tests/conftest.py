"""The longest files begin first, so that at the end no process is left with one of them while the other has nothing to do."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent
LONG = (
    "e2e/test_demo.py",
    "collector/test_faults.py",
    "probes/test_cli_run.py",
    "probes/steps/test_browser_actions.py",
    "probes/steps/test_browser_hostile.py",
    "collector/test_openapi.py",
    "collector/erasure/test_eraser.py",
    "collector/erasure/test_scan.py",
    "collector/test_hostile.py",
    "collector/test_cli.py",
    "probes/steps/test_browser_pool.py",
    "collector/web/test_lists.py",
    "collector/sources/test_webhook_process.py",
    "collector/sources/test_import_process.py",
    "probes/steps/test_browser_settings.py",
    "probes/steps/test_browser.py",
    "collector/join/test_worker.py",
    "collector/join/test_late_records.py",
    "collector/score/test_worlds.py",
    "collector/senders/test_senders.py",
    "contract/test_agent_to_collector.py",
    "e2e/test_evidence_browser.py",
    "e2e/test_report_browser.py",
    "collector/web/test_remembered.py",
    "collector/web/test_api_impact.py",
    "collector/test_damage.py",
    "collector/test_server_process.py",
    "collector/feeds/test_process.py",
    "collector/forward/test_process.py",
    "collector/web/test_pages.py",
    "probes/steps/test_script.py",
    "agent/rum/test_snippet_browser.py",
    "collector/receive/test_app.py",
    "collector/sources/test_scrub_json.py",
    "collector/sources/test_intake.py",
    "demo/test_in_browser.py",
    "collector/control/test_control.py",
    "agent/test_process.py",
    "probes/steps/test_browser_tls.py",
    "probes/steps/test_browser_evidence.py",
    "probes/test_cli_import.py",
    "probes/importers/test_any_input.py",
)
"""Files that take ten seconds and more, the longest first; the order within others matters little."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first; within a file, and of the others, the order stays."""
    place = {HERE / name: number for number, name in enumerate(LONG)}
    items.sort(key=lambda item: place.get(item.path, len(LONG)))

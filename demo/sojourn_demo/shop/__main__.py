"""`python -m sojourn_demo.shop --config FILE`: the shop as its own process."""

import argparse
import asyncio
import logging
import sys
from pathlib import Path

import uvloop

from sojourn_demo.shop.serve import serve
from sojourn_demo.shop.settings import read_settings


def main() -> int:
    """Read the settings and serve until told to stop. Exit 2 with one sentence when the settings are wrong."""
    parser = argparse.ArgumentParser(prog="python -m sojourn_demo.shop", description="The demo shop, its payments service and its switchboard.")
    parser.add_argument("--config", type=Path, required=True, help="JSON file with the settings")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    try:
        settings = read_settings(arguments.config)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Adapters of vendors' webhooks, one module each; the list is `VENDORS` in `sources_config.py`."""

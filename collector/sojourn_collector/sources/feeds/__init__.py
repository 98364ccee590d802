"""Public feeds that are pulled, one file a kind. The list of kinds is `FEEDS` in `feeds_config.py`."""

"""Needs what is not installed."""

import surely_not_installed  # type: ignore[import-not-found]  # pyright: ignore[reportMissingImports, reportUnusedImport]  # noqa: F401 - that is the point

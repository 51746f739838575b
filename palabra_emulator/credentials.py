"""Secrets compared: whatever bytes a client sends, and taking the same time however wrong."""

from __future__ import annotations

import hmac


def is_same(given: str, expected: str) -> bool:
    """Compare a secret; one that is no text, as headers may be, is wrong."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())

"""Secrets compared: whatever bytes a client sends, and taking the same time however wrong."""

from __future__ import annotations

import hmac


def is_same(given: str, expected: str) -> bool:
    """Whether a secret is the right one; what is no text, as headers may be, is a wrong one."""
    return hmac.compare_digest(given.encode(errors="surrogatepass"), expected.encode())

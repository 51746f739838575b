"""Values and paths in sentences: short, on one line, never a secret."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, SecretBytes, SecretStr

from palabra_agent.config.wording import (
    Path,
    is_credential_key,
    is_hidden,
    json_kind,
    listed,
    path_text,
    secret_key_in,
    secrets_in,
    shown,
    types_at,
)

pytestmark = pytest.mark.unit


class Account(BaseModel):
    """With a secret in a list."""

    name: str = ""
    keys: list[SecretStr] = []


class Tree(BaseModel):
    """Holds itself, and accounts in several ways."""

    inner: Tree | None = None
    accounts: dict[str, Account] = {}
    one_of: Account | Annotated[int, Field(gt=3)] | None = None
    seal: SecretBytes | None = Field(default=None, alias="theSeal")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "null"),
        (True, "true"),
        (1.5, "1.5"),
        ("a b", '"a b"'),
        ({"a": "secret"}, "an object"),
        (["secret"], "a list"),
        (("secret",), "a list"),
        (b"secret", "a bytes"),
        ("x" * 100, f'"{"x" * 60}…"'),
        (10**90, "1" + "0" * 79),
        ("a\nb\x1b", '"a\\nb\\u001b"'),
        ("\u202eabc", '"\\u202eabc"'),
        ("plbr_0123", "a value that looks like a credential"),
        ("ws://me:word@host", "a value that looks like a credential"),
    ],
)
def test_values_are_shown_briefly(value: object, text: str) -> None:
    """One line without control characters; no inside of an object, and no credential."""
    assert shown(value) == text


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ((), ""),
        (("plugins", 0, "config", "high", "es"), "plugins[0].config.high.es"),
        (("speakers", "a@b.example", "interpret"), 'speakers["a@b.example"].interpret'),
        (("speakers", "guest-*"), "speakers.guest-*"),
        (("", 1), '[""][1]'),
        (("speakers", "eyJhbGciOiJIUzI1NiJ9"), "speakers[…]"),
    ],
)
def test_paths_are_spelt(path: Path, text: str) -> None:
    """A key that is no plain word is quoted, and one that looks like a credential is left out."""
    assert path_text(path) == text


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("api_key", True),
        ("apiKey", True),
        ("CLIENT-ID", True),
        ("webhook_token", True),
        ("Authorization", True),
        ("keys", False),
        ("tokens_per_minute", False),
        (0, False),
    ],
)
def test_keys_of_credentials_are_recognised(key: str | int, *, expected: bool) -> None:
    """However they are spelt."""
    assert is_credential_key(key) is expected


def test_long_lists_are_cut() -> None:
    """The rest is counted."""
    assert listed(["a", "b"]) == "a, b"
    assert listed([str(n) for n in range(22)]).endswith("18, 19 and 2 more")


@pytest.mark.parametrize(
    ("value", "kind"),
    [(None, "null"), ([], "a list"), ({}, "an object"), (True, "true or false"), ("", "a string")],
)
def test_kinds_have_the_names_of_json(value: object, kind: str) -> None:
    """With their article."""
    assert json_kind(value) == kind
    assert json_kind(1.5) == "a number"


@pytest.mark.parametrize(
    ("place", "types"),
    [
        ((), [Tree]),
        (("inner", "inner"), [Tree, type(None)]),
        (("accounts", "any", "name"), [str]),
        (("accounts", "any", "keys", 3), [SecretStr]),
        (("one_of",), [Account, int, type(None)]),
        (("one_of", "name"), [str]),
        (("theSeal",), [SecretBytes, type(None)]),
        (("nowhere", 0), []),
        (("accounts", "any", "name", "deeper"), []),
    ],
)
def test_the_types_at_a_place_are_found(place: Path, types: list[object]) -> None:
    """Through models, mappings, lists and unions; of a union all."""
    assert list(types_at(Tree, place)) == types


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        (("accounts", "a", "keys", 0), True),
        (("accounts", "a", "keys"), True),
        (("accounts", "a", "name"), False),
        (("inner", "theSeal"), True),
        (("inner", "password"), True),
        (("inner", "password", "name"), True),
        ((), False),
    ],
)
def test_secrets_are_hidden_by_type_and_by_key(place: Path, *, expected: bool) -> None:
    """So is all that stands within one, and a list of them."""
    assert is_hidden(Tree, place) is expected


def test_the_secrets_in_what_was_written_are_known() -> None:
    """However wrong the rest is; what is too short would be found in every sentence."""
    written: dict[str, Any] = {
        "accounts": {"a": {"name": "ann", "keys": ["one-secret", 7, "abc"]}, "b": ["x"]},
        "one_of": {"keys": "another"},
        "token": {"deep": ["third"]},
    }
    assert set(secrets_in(Tree, written)) == {"one-secret", "another", "third"}


def test_the_first_secret_key_is_named() -> None:
    """Also in a model within, and in one that holds itself."""
    assert secret_key_in(Tree) in {"accounts.keys", "inner.accounts.keys"}
    assert secret_key_in(Account) == "keys"

    class Open(BaseModel):
        name: str = ""

    assert secret_key_in(Open) is None

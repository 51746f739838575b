"""The script of a meeting: sentences with translations, in place of recognition."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

from palabra_agent.errors import ConfigError, Problem
from palabra_agent.languages import (
    AUTO,
    SOURCE_LANGUAGES,
    TARGET_LANGUAGES,
    LanguageCode,
    base,
    did_you_mean,
    find_source,
    find_target,
    normalise,
    same_language,
)
from palabra_emulator.interpreting.spoken_text import share_of

_BUILT_IN: Final = Path(__file__).parent / "data" / "meeting.json"
_SAID_IN: Final = "said_in"
_KNOWN: Final = (SOURCE_LANGUAGES | TARGET_LANGUAGES) - {AUTO}


class ScriptError(ConfigError):
    """A script file that cannot be used."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__([Problem(path, reason)])


@dataclass(frozen=True, slots=True)
class Sentence:
    """Something to say, in several languages."""

    texts: Mapping[LanguageCode, str]
    said_in: LanguageCode | None = None
    """The only language whose speakers say it; None: all do."""

    def text(self, language: str, start: float = 0.0, end: float = 1.0) -> str:
        """It in a language: the text of a regional variant or its base, else English, marked.

        Args:
            language: Of the text.
            start: The share of the text (0 to 1) at which a part of it begins.
            end: The share at which that part ends.
        """
        code = normalise(language)
        for candidate in (code, base(code)):
            if candidate in self.texts:
                return share_of(self.texts[candidate], start, end)

        original = self.texts.get(LanguageCode("en")) or next(iter(self.texts.values()))
        part = share_of(original, start, end)
        return f"[{code}] {part}" if part else ""


@dataclass(frozen=True, slots=True)
class Script:
    """The sentences of a meeting; each utterance says one."""

    sentences: tuple[Sentence, ...]

    def lines(self, language: str) -> tuple[Sentence, ...]:
        """The sentences of the speakers of a language, in order."""
        return tuple(
            sentence
            for sentence in self.sentences
            if sentence.said_in is None or same_language(sentence.said_in, language)
        )

    def said(self, number: int, language: str) -> Sentence:
        """The number-th sentence (from 0) of who speaks a language; after the last, the first.

        Who is heard with `auto` may speak any: theirs are all sentences.
        """
        lines = self.sentences if language == AUTO else self.lines(language) or self.sentences
        return lines[number % len(lines)]

    def text(self, number: int, said_in: str, language: str | None = None) -> str:
        """The text of the number-th utterance (from 0); after the last, the first.

        Args:
            number: Of the utterance among those of its speaker.
            said_in: What the speaker speaks.
            language: What to say it in; as it was said by default.
        """
        return self.said(number, said_in).text(language or said_in)

    def find(self, text: str, language: str) -> Sentence:
        """The sentence with a text in any language, else one that has nothing but that text."""
        for sentence in self.sentences:
            if text in sentence.texts.values():
                return sentence

        return Sentence({base(language): text})


def load_script(path: Path | None = None) -> Script:
    """Read a script file, or the built-in script.

    The file is JSON: `{"sentences": [{"en": "Hello.", "es": "Hola."}, …]}`. With `"said_in": "en"`
    a sentence belongs to speakers of English alone; `auto` hears that it is English.

    Raises:
        ScriptError: The file cannot be read, or is no script.
    """
    source = path or _BUILT_IN
    try:
        content: object = json.loads(source.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise ScriptError(str(source), f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise ScriptError(str(source), "is not UTF-8 text") from None
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise ScriptError(str(source), f"is not JSON: {error.msg} at {where}") from None
    except (ValueError, RecursionError) as error:
        raise ScriptError(str(source), f"cannot be used: {error}") from None

    return Script(_sentences(str(source), content))


def _sentences(path: str, content: object) -> tuple[Sentence, ...]:
    found = cast("dict[str, object]", content).get("sentences") if _is_object(content) else None

    if not isinstance(found, list) or not found:
        raise ScriptError(path, 'needs a list "sentences" with at least one sentence')

    entries = cast("list[object]", found)
    return tuple(_sentence(f"{path}: sentences[{n}]", entry) for n, entry in enumerate(entries))


def _sentence(path: str, entry: object) -> Sentence:
    said = dict(cast("dict[str, object]", entry)) if _is_object(entry) else {}
    said_in = said.pop(_SAID_IN, None)
    if not said:
        raise ScriptError(path, "must be an object of language codes and texts")

    texts: dict[LanguageCode, str] = {}
    for language, text in said.items():
        code = _code(path, language)
        if code in texts:
            raise ScriptError(f"{path}.{language}", f'"{code}" is given twice')
        if not isinstance(text, str) or not text.strip():
            raise ScriptError(f"{path}.{language}", "must be a text that is not empty")
        texts[code] = text.strip()

    return Sentence(texts, None if said_in is None else _code(f"{path}.{_SAID_IN}", said_in))


def _code(path: str, language: object) -> LanguageCode:
    written = language if isinstance(language, str) else ""
    code = find_target(written) or find_source(written)
    if code is None:
        hint = did_you_mean(normalise(written)[:30], _KNOWN)
        raise ScriptError(path, f"{json.dumps(language)} is not a language that Palabra has{hint}")

    return code


def _is_object(value: object) -> bool:
    return isinstance(value, dict)

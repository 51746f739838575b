"""The script of a meeting."""

from __future__ import annotations

from pathlib import Path

import pytest

from palabra_emulator.script import ScriptError, load_script

pytestmark = pytest.mark.unit


def test_built_in_script_is_complete() -> None:
    """At least ten sentences, each different in each of four languages."""
    script = load_script()
    texts = [text for sentence in script.sentences for text in sentence.texts.values()]

    assert len(script.sentences) >= 10
    assert all(set(sentence.texts) == {"en", "es", "de", "fr"} for sentence in script.sentences)
    assert len(set(texts)) == len(texts)


def test_script_falls_back_honestly(tmp_path: Path) -> None:
    """A variant is its base; a language without text is marked; after the last comes the first."""
    path = tmp_path / "script.json"
    path.write_text('{"sentences": [{"en": "One.", "pt-br": "Um."}, {"de": "Zwei."}]}')
    script = load_script(path)

    assert script.text(0, "en-gb") == "One."
    assert script.text(0, "pt-br") == "Um."
    assert script.text(2, "en") == "One."
    assert script.text(0, "it") == "[it] One."
    assert script.text(1, "en") == "[en] Zwei."
    assert script.find("One.", "en").text("pt-br") == "Um."
    assert script.find("Else.", "en-us").text("es") == "[es] Else."
    assert script.find("Else.", "en-us").text("en-gb") == "Else."


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not JSON: Expecting property name"),
        ("[]", 'needs a list "sentences" with at least one sentence'),
        ('{"sentences": []}', "at least one sentence"),
        ('{"sentences": [{}]}', "sentences[0]: must be an object of language codes and texts"),
        (
            '{"sentences": [{"en": "a"}, {"esmx": "b"}]}',
            'sentences[1]: "esmx" is not a language that Palabra has, did you mean "es-mx"?',
        ),
        (
            '{"sentences": [{"iw": "a", "he-IL": "b"}]}',
            'sentences[0].he-IL: "he" is given twice',
        ),
        (
            '{"sentences": [{"en": "a", "said_in": ["en"]}]}',
            'sentences[0].said_in: ["en"] is not a language that Palabra has',
        ),
        (
            '{"sentences": [{"en": "a", "said_in": "auto"}]}',
            'sentences[0].said_in: "auto" is not a language that Palabra has',
        ),
        ('{"sentences": [{"en": " "}]}', "sentences[0].en: must be a text that is not empty"),
    ],
)
def test_wrong_script_is_one_clear_sentence(tmp_path: Path, content: str, reason: str) -> None:
    """The sentence names the file and the place in it."""
    path = tmp_path / "script.json"
    path.write_text(content)
    with pytest.raises(ScriptError) as caught:
        load_script(path)

    assert str(caught.value).startswith(str(path))
    assert reason in str(caught.value)


def test_script_codes_are_read_as_browsers_write_them(tmp_path: Path) -> None:
    """As everywhere else."""
    path = tmp_path / "script.json"
    path.write_text('{"sentences": [{"nb-NO": "En.", "zh-TW": "Yi.", "said_in": "no_NO.UTF-8"}]}')
    script = load_script(path)

    assert script.text(0, "no") == "En."
    assert script.text(0, "no", "zh-hant") == "Yi."
    assert script.sentences[0].said_in == "no"


def test_script_may_begin_with_a_mark(tmp_path: Path) -> None:
    """Some editors put a byte order mark first, as in every other file that is read here."""
    path = tmp_path / "script.json"
    path.write_text('{"sentences": [{"en": "One."}]}', encoding="utf-8-sig")

    assert load_script(path).text(0, "en") == "One."


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32", "latin-1"])
def test_script_in_another_encoding_is_said(tmp_path: Path, encoding: str) -> None:
    """One sentence, whatever the file begins with."""
    path = tmp_path / "script.json"
    path.write_text('{"sentences": [{"es": "¿Sí?"}]}', encoding=encoding)
    with pytest.raises(ScriptError, match=r"script\.json: is not UTF-8 text"):
        load_script(path)


def test_absent_script_is_said(tmp_path: Path) -> None:
    """A file that is not there is named."""
    with pytest.raises(ScriptError, match=r"nowhere\.json: cannot be read: No such file"):
        load_script(tmp_path / "nowhere.json")


def test_a_sentence_may_belong_to_speakers_of_one_language(tmp_path: Path) -> None:
    """What is said in a language is heard from its speakers alone, regions aside."""
    path = tmp_path / "script.json"
    path.write_text(
        '{"sentences": [{"said_in": "en", "en": "Hello.", "es": "Hola."},'
        ' {"said_in": "es", "en": "Bye.", "es": "Adiós."}, {"en": "Yes.", "es": "Sí."}]}'
    )

    script = load_script(path)

    assert [script.text(number, "en-us") for number in range(3)] == ["Hello.", "Yes.", "Hello."]
    assert [script.text(number, "es") for number in range(3)] == ["Adiós.", "Sí.", "Adiós."]
    assert script.text(0, "es", "en") == script.find("Adiós.", "es").text("en") == "Bye."
    assert [script.said(number, "auto").said_in for number in range(4)] == ["en", "es", None, "en"]

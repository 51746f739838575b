"""Texts of others at each border: out comes one clean line of a bounded length, or escaped JSON."""

from __future__ import annotations

import asyncio
import json
import logging
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

import pytest
from livekit.agents.cli.log import JsonFormatter

from palabra_agent.capabilities.voice import VOICE_POLICY, VoiceRequest
from palabra_agent.config.wording import path_text, shown
from palabra_agent.interpretation.ports import (
    Caption,
    ChatLine,
    MeetingView,
    Notice,
    Person,
    RoomState,
    RoomStatus,
)
from palabra_agent.interpretation.settings import Regime
from palabra_agent.interpretation.wishes import UnmetWishes
from palabra_agent.languages import LanguageCode
from palabra_agent.local.demo_meeting import ALICE, BRUNO, MeetingProgress
from palabra_agent.local.reception import ReceivedCaption
from palabra_agent.meeting.attributes import ERROR_ATTRIBUTE, InterpreterAttributes
from palabra_agent.meeting.rpc import fitting, short
from palabra_agent.meeting.texts import TextSender
from palabra_agent.palabra.protocol.messages import ErrorReport, SpokenText, decode
from palabra_agent.palabra.protocol.task_errors import in_words
from palabra_agent.palabra.rest.answers import ApiAnswer, refusal_of
from palabra_agent.plugin import Passed, Speaker
from palabra_agent.session import Transcript
from palabra_agent.texts import LONGEST_TEXT
from palabra_agent.worker.log import read_record
from tests.clock import JumpingLoop
from tests.fakes import transcript
from tests.meeting.fake_room import FakeRoom

pytestmark = pytest.mark.unit

ODD: Final = (
    *(f"a{newline}Alice: I agree" for newline in "\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029\t\0"),
    "a\r\nb\n\nc",
    "\x1b[31mred\x1b[0m \x1b[2J \x1b[H",
    "\x1b]0;title\x07 \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\",
    "\x9b2J \x90q\x9c \x84 \x8d \x7f \x08\x08\x08",
    "\x1bc\x1b(0\x1b#8",
    *(f"a{mark}b" for mark in "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"),
    *(f"a{mark}b" for mark in "\u200b\u200e\u200f\u061c\u2060\ufeff\u00ad\u180e\ufffb\U000e0041"),
    "half \ud800 and \udfff",
    "\ud83d apart \ude00",
    "Z" + "\u0336\u0301" * 100,
    "\u200d\u200d\u200c",
    " \u3164\u2800\u00a0 ",
    "",
    "<b>&amp;</b> --> {\\an8}",
    '"quoted" \\ and \\u202e',
)
LEGITIMATE: Final = (
    "👩‍👩‍👧 ❤️ 1️⃣ 🇪🇸",
    "می‌خواهم بروم",
    "שִׁמְעוֹן אמר שלום",
    "क्षत्रिय नमस्ते",
    "山田太郎さん、こんにちは。",
    "Zoë Škvorecký: «¿Qué?»",
)
LONG: Final = ("x" * 1_000_000, "\u202e" * 1_000_000, "é\n" * 500_000)

ES: Final = LanguageCode("es")
MOST: Final = 6_000
"""No border lets more characters through, with our own words around them."""
_FORMATS_THAT_SHOW: Final = frozenset("\u200c\u200d")

Border = Callable[[str], str]


def message(kind: str, data: object) -> object:
    """A message of Palabra's, as it is read."""
    return decode(json.dumps({"message_type": kind, "data": data}))


def transcribed(**fields: str) -> Transcript:
    """What Palabra transcribed."""
    said = {"transcription_id": "t", "language": "en", "text": "hello", **fields}
    return cast("Transcript", message("validated_transcription", {"transcription": said}))


def words_of_error(data: object) -> str:
    """An error of Palabra's in words."""
    return in_words(cast("ErrorReport", message("error", data)))


def spoken(text: str) -> str:
    """What Palabra says that it speaks."""
    body = {"transcription": {"transcription_id": "t", "text": text}}
    return cast("SpokenText", message("tts_text", body)).text


def refusal(text: str) -> str:
    """A refusal of the session API."""
    return str(refusal_of(ApiAnswer(403, {"errors": [{"detail": text}]})))


def in_jumping_loop(doing: Callable[[], Any]) -> None:
    """Run something that has a clock."""
    with asyncio.Runner(loop_factory=JumpingLoop) as runner:
        runner.run(doing())


def written(text: Caption | ChatLine | Notice) -> str:
    """What is written into the room."""
    room = FakeRoom()

    async def send() -> None:
        texts = TextSender(room())
        async with asyncio.TaskGroup() as group:
            sending = group.create_task(texts.send_all())
            texts.put(text)
            await texts.drain(1)
            sending.cancel()

    in_jumping_loop(send)
    return room.texts[0]


def chat_name(name: str) -> str:
    """A chat line of a person of this name."""
    return written(ChatLine(transcript("hello"), "ann", ("bob",), name))


def chat_identity(identity: str) -> str:
    """A chat line of a person without a name."""
    return written(ChatLine(transcript("hello"), identity, ("bob",), ""))


def chat_text(text: str) -> str:
    """A chat line of these words."""
    return written(ChatLine(transcript(text[:LONGEST_TEXT]), "ann", ("bob",), "Ann"))


def caption(text: str) -> str:
    """A caption of these words."""
    return written(Caption(transcript(text[:LONGEST_TEXT]), "ann", ("bob",), "TR_1"))


def notice(text: str) -> str:
    """A message of the interpreter's own."""
    return written(Notice(text[:LONGEST_TEXT]))


def error_attribute(text: str) -> str:
    """What the room sees of an error."""
    room = FakeRoom()

    async def show() -> None:
        attributes = InterpreterAttributes(room(), (ES,))
        attributes.show(RoomStatus(RoomState.DEGRADED, error=text))
        await attributes.send_again()

    in_jumping_loop(show)
    return room.attributes[0][ERROR_ATTRIBUTE]


def unmet_wish(text: str) -> str:
    """What a person is told who asks for a language that is not there."""
    view = MeetingView((Person("ann", "Ann", listen=f"no-{text}"),))
    return next(UnmetWishes().notices(view, Regime((ES,)))).text


def passed(reason: str) -> str:
    """The reason of a plugin that chooses no voice."""
    request = VoiceRequest(
        room="board", speaker=Speaker(identity="ann", name="Ann"), target_language=ES
    )
    answer = VOICE_POLICY.accept(Passed(reason), request)
    assert isinstance(answer, Passed)
    return answer.reason


def shown_in_demo(text: str) -> str:
    """A caption as the demo shows it."""
    progress = MeetingProgress()
    received = ReceivedCaption("s", ALICE.identity, text, "es", True, True, "TR", 0.0)
    progress.read([received], BRUNO)
    return progress.rows[0].texts["es"].words


LINES: Final[tuple[Border, ...]] = (
    lambda text: transcribed(text=text).text,
    lambda text: transcribed(language=text).language,
    lambda text: transcribed(transcription_id=text).transcription_id,
    lambda text: transcribed(transcription_id=f"{text}_part_{text}").part,
    lambda text: transcribed(translation_part_id=text).part,
    spoken,
    lambda text: words_of_error(text),
    lambda text: words_of_error([text]),
    lambda text: words_of_error({"code": text, "desc": text}),
    lambda text: words_of_error({"error": {"code": "X", "message": text}}),
    lambda text: words_of_error({"errors": [{"detail": text}, {"detail": text}]}),
    lambda text: words_of_error([{"loc": [text, 1], "msg": text}]),
    lambda text: words_of_error({"code": "VALIDATION_ERROR", "desc": f"'loc': ('{text}',)"}),
    refusal,
    chat_name,
    chat_identity,
    chat_text,
    caption,
    notice,
    error_attribute,
    unmet_wish,
    passed,
    shown_in_demo,
    short,
    shown,
    lambda text: path_text(("plugins", text, 0)),
)
"""Each lets a text of others through to where people read it, and gives what comes out."""


def faults_of(line: str) -> set[str]:
    """What is wrong with a line."""
    bad = {each for each in line if unicodedata.category(each) in {"Cc", "Cf", "Cs", "Zl", "Zp"}}
    faults = {f"U+{ord(each):04X}" for each in bad - _FORMATS_THAT_SHOW}
    if len(line.splitlines()) > 1:
        faults.add("more than one line")
    if len(line) > MOST:
        faults.add(f"{len(line)} characters")
    line.encode()
    return faults


def found_by(border: Border, texts: Iterable[str]) -> dict[str, set[str]]:
    """The texts that do not come out clean."""
    found = {text[:30]: faults_of(border(text)) for text in texts}
    return {text: faults for text, faults in found.items() if faults}


@pytest.mark.parametrize("border", LINES, ids=range(len(LINES)))
def test_no_odd_text_passes_a_border(border: Border) -> None:
    """It begins no line, rules no terminal, turns no words around, can be sent, and ends."""
    assert found_by(border, ODD) == {}
    assert found_by(border, LONG) == {}


@pytest.mark.parametrize("text", LEGITIMATE)
def test_what_people_write_passes(text: str) -> None:
    """Scripts from right to left, joiners, emoji of several parts."""
    assert transcribed(text=text).text == text
    assert chat_text(text) == f"Ann: {text}"
    assert caption(text) == text
    assert chat_name(text) == f"{text}: hello"


def test_ids_that_can_be_passed_on_stay() -> None:
    """Others are told apart all the same."""
    odd = [transcribed(transcription_id=it).transcription_id for it in ("a\n", "b\n", "a\n")]

    assert transcribed(transcription_id="018f-ä"[:5]).transcription_id == "018f-"
    assert odd[0] == odd[2] != odd[1]


@pytest.mark.parametrize("text", [*ODD, LONG[0][:5000]])
def test_json_shows_all_that_is_in_it(text: str) -> None:
    """An answer to a call, its error's data, and the log stand in terminals as they are."""
    answer = fitting({"speaker": text, "passed": [{"reason": text}]})
    record = logging.makeLogRecord({"name": "palabra_agent.x", "msg": text, "reason": text})
    assert read_record(record)
    line = JsonFormatter(ensure_ascii=True).format(record)

    assert answer.isprintable()
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(answer)["speaker"] == text.encode(errors="replace").decode()

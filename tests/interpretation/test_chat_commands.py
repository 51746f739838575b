"""Commands in the chat: what they do, what is answered to whom, and what is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from palabra_agent.concurrency import Watched
from palabra_agent.interpretation.chat_commands import ChatCommands
from palabra_agent.interpretation.ports import ChatMessage, MeetingView, Notice, Person
from palabra_agent.interpretation.settings import InterpretationSettings, Regime, WritingRules
from palabra_agent.interpretation.wishes import Wishes
from palabra_agent.languages import LanguageCode
from palabra_agent.texts import one_line
from tests.clock import in_jumping_time, passing
from tests.fakes import FakeTexts

pytestmark = pytest.mark.unit

REGIME = Regime((LanguageCode("es"), LanguageCode("de")))
OFFER = "Offered are es, de, and the original."


@dataclass
class Chat:
    """A room's chat, in which Ann and Bob write."""

    texts: FakeTexts = field(default_factory=FakeTexts)
    wishes: Wishes = field(default_factory=Wishes)
    settings: Watched[InterpretationSettings] = field(
        default_factory=lambda: Watched(InterpretationSettings(REGIME))
    )
    now: float = 0.0

    def __post_init__(self) -> None:
        self.commands = ChatCommands(self.wishes, self.settings, self.texts)
        self.look()

    def look(self) -> Person:
        """Take in who is there; returns Ann."""
        self.now += 1
        people = (Person("ann", "Ann"), Person("bob", "Bob"))
        return self.wishes.observe(MeetingView(people), self.now).people[0]

    def write(self, *texts: str, sender: str = "ann") -> list[str]:
        """Write messages; returns what was answered, to nobody else."""
        before = len(self.texts.sent)
        for text in texts:
            self.commands.on_message(ChatMessage(sender, text))

        answers = [it for it in self.texts.sent[before:] if isinstance(it, Notice)]
        assert {it.recipients for it in answers} <= {(sender,)}
        return [it.text for it in answers]


@in_jumping_time
async def test_a_listener_chooses_a_language() -> None:
    """In any spelling; or the original; a command without a language tells what they hear."""
    chat = Chat()
    assert chat.write("/lang") == [f"You hear the original. {OFFER}"]
    assert chat.write("/lang es") == ["You hear es from now on. /lang original ends that."]
    assert chat.look().listen == "es"
    assert chat.write("/languages") == [f"You hear es. {OFFER}"]
    assert chat.write("  /LANG   DE_at ") == ["You hear de from now on. /lang original ends that."]
    assert chat.look().listen == "de"
    await passing(60)
    assert chat.write("/lang Original") == ["You hear the original from now on."]
    assert chat.look().listen == "original"


@in_jumping_time
async def test_a_speaker_says_what_they_speak() -> None:
    """Or has it detected."""
    chat = Chat()
    help_line = "Write /speak and a language, such as /speak en, or /speak auto."
    assert chat.write("/speak") == [f"Your language is detected as you speak. {help_line}"]
    assert chat.write("/speak en-GB") == ["You are taken to speak en."]
    assert chat.look().speak == "en"
    assert chat.write("/speak") == [f"Your language is taken to be en. {help_line}"]
    assert chat.write("/speak auto") == ["Your language is detected as you speak."]
    assert chat.look().speak == "auto"


@in_jumping_time
async def test_what_is_not_there_is_answered_with_what_is() -> None:
    """And changes nothing."""
    chat = Chat()
    assert chat.write("/lang esp") == [f'"esp" is not offered here, did you mean "es"? {OFFER}']
    assert chat.write("/lang kl\u202ein\ngon") == [f'"klin gon" is not offered here. {OFFER}']
    (answer,) = chat.write("/speak tlh")
    assert answer.startswith('"tlh" is no language that is known here. Recognised are af, am, ')
    (answer,) = chat.write("/help")
    assert "/lang es" in answer
    assert (chat.look().listen, chat.look().speak) == (None, None)


@in_jumping_time
@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "hello",
        "I wrote /lang es",
        "/shrug",
        "/etc/passwd",
        "/language es",
        "//lang es",
        "/lang" + " " * 100 + "es",
        "/lang es" + "x" * 100_000,
        "\x00",
    ],
)
async def test_what_is_no_command_is_left_alone(text: str) -> None:
    """It is said to other people, or to another agent."""
    chat = Chat()

    assert chat.write(text) == []
    assert chat.look().listen is None


@in_jumping_time
async def test_those_who_are_no_people_have_no_say() -> None:
    """Nor those who have left."""
    chat = Chat()

    assert chat.write("/lang es", sender="another-agent") == []


@in_jumping_time
async def test_commands_may_be_switched_off() -> None:
    """Then they are words like any others, until they are switched on."""
    chat = Chat()
    settings = chat.settings.value
    chat.settings.set(replace(settings, rules=WritingRules(commands=False)))
    assert chat.write("/lang es") == []

    chat.settings.set(settings)
    assert chat.write("/lang es") != []


@in_jumping_time
async def test_a_flood_is_followed_and_answered_now_and_then() -> None:
    """The last command counts; one person's flood takes no answer from another."""
    chat = Chat()
    answers = chat.write(*["/lang es", "/help", "/lang nonsense"] * 100, "/lang de")
    assert len(answers) == 5
    assert len(chat.write("/lang de", sender="bob")) == 1
    assert chat.look().listen == "de"

    await passing(3.1)
    assert len(chat.write(*["/help"] * 10)) == 1


@given(st.text(max_size=120).map(lambda rest: f"/lang {rest}"))
def test_whatever_is_asked_for_the_answer_is_one_line(text: str) -> None:
    """Nothing is raised, and nothing that was written acts on what stands beside it."""

    @in_jumping_time
    async def ask() -> None:
        for answer in Chat().write(text):
            assert answer == one_line(answer)
            assert len(answer) < 300

    ask()

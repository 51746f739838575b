"""The sentence that tells people that a machine interprets here, each in their language. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Final

from palabra_agent.interpretation.ports import MeetingView, Notice, Person
from palabra_agent.interpretation.settings import DisclosureRules, Regime
from palabra_agent.interpretation.wishes import listening_language_of, source_language_of
from palabra_agent.languages import AUTO, LanguageCode, nearest

SENTENCES: Final[Mapping[str, tuple[str, str]]] = {
    "en": (
        "A machine interprets what is said here, and makes mistakes.",
        "Write /help in the chat to choose a language.",
    ),
    "es": (
        "Aquí interpreta una máquina, que comete errores.",
        "Escribe /help en el chat para elegir un idioma.",
    ),
    "pt": (
        "Aqui quem interpreta é uma máquina, que comete erros.",
        "Escreva /help no chat para escolher um idioma.",
    ),
    "fr": (
        "Ici, une machine interprète, et elle fait des erreurs.",
        "Écrivez /help dans le chat pour choisir une langue.",
    ),
    "it": (
        "Qui interpreta una macchina, che commette errori.",
        "Scrivi /help nella chat per scegliere una lingua.",
    ),
    "de": (
        "Hier dolmetscht eine Maschine, und sie macht Fehler.",
        "Schreiben Sie /help in den Chat, um eine Sprache zu wählen.",
    ),
    "nl": (
        "Hier tolkt een machine, en die maakt fouten.",
        "Typ /help in de chat om een taal te kiezen.",
    ),
    "sv": (
        "Här tolkar en maskin, och den gör fel.",
        "Skriv /help i chatten för att välja språk.",
    ),
    "pl": (
        "Tłumaczy tu maszyna, która popełnia błędy.",
        "Napisz /help na czacie, aby wybrać język.",
    ),
    "cs": (
        "Tlumočí zde stroj, který dělá chyby.",
        "Napište do chatu /help a vyberte si jazyk.",
    ),
    "ru": (
        "Здесь переводит машина, и она ошибается.",
        "Напишите /help в чате, чтобы выбрать язык.",
    ),
    "uk": (
        "Тут перекладає машина, і вона помиляється.",
        "Напишіть /help у чаті, щоб вибрати мову.",
    ),
    "tr": (
        "Burada bir makine çeviri yapıyor ve hata yapabilir.",
        "Dil seçmek için sohbete /help yazın.",
    ),
    "ar": (
        "يترجم هنا نظام آلي، وقد يخطئ.",
        "اكتب /help في الدردشة لاختيار لغة.",
    ),
    "zh": ("这里由机器口译，可能会出错。", "在聊天中输入 /help 即可选择语言。"),
    "ja": (
        "ここでは機械が通訳しており、誤りがあります。",
        "言語を選ぶには、チャットに /help と入力してください。",
    ),
    "ko": (
        "이곳에서는 기계가 통역하며, 오류가 있을 수 있습니다.",
        "언어를 선택하려면 채팅에 /help를 입력하세요.",
    ),
}
"""By language: that a machine interprets, and how to get help by the chat."""

_KNOWN: Final = tuple(LanguageCode(code) for code in SENTENCES)
_ENGLISH: Final = LanguageCode("en")


class Disclosure:
    """The people of a room who were told; each is once."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def notices(
        self, view: MeetingView, rules: DisclosureRules | None, regime: Regime
    ) -> Iterator[Notice]:
        """Make the notices for those who were not told yet and can be.

        Args:
            view: The people who are there.
            rules: What they are told; None for nothing.
            regime: The room's languages.
        """
        if rules is None:
            return

        readers = defaultdict[str, list[str]](list)
        for person in view.people:
            if person.is_reachable and person.identity not in self._told:
                self._told.add(person.identity)
                readers[sentence_for(person, rules, regime)].append(person.identity)

        for sentence, identities in readers.items():
            yield Notice(sentence, tuple(identities))


def sentence_for(person: Person, rules: DisclosureRules, regime: Regime) -> str:
    """The sentence for a person: the language that they hear or speak, else English."""
    language = _language_of(person, regime)
    ours = nearest(language, _KNOWN) or _ENGLISH
    theirs = nearest(language, rules.texts) or ours
    if theirs in rules.texts:
        return rules.texts[theirs]

    machine, help_ = SENTENCES[ours]
    return f"{machine} {help_}" if rules.has_commands else machine


def _language_of(person: Person, regime: Regime) -> str:
    heard = nearest(person.listen or "", _KNOWN) or listening_language_of(person, regime)
    spoken = source_language_of(person, regime)
    return heard or (spoken if spoken != AUTO else _ENGLISH)

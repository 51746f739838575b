"""On what terms a room is interpreted: everything of its config that may change while it runs."""

from __future__ import annotations

from dataclasses import dataclass, field

from palabra_agent.interpretation.audience import ChatAudience
from palabra_agent.interpretation.plan import Regime


@dataclass(frozen=True, slots=True)
class WritingRules:
    """What of the spoken word is written into the room."""

    captions: bool = True
    partials: bool = True
    """Captions that change while somebody speaks."""
    translations: bool = True
    """False where Palabra was told to send none: then everybody reads the original."""
    chat: bool = True
    audience: ChatAudience = "language"


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds at the moment; a change of one leaves alone what the others decide."""

    regime: Regime
    """Who may be interpreted into what."""
    rules: WritingRules = field(default_factory=WritingRules)
    """What is written into the room."""
    linger_seconds: float = 5.0
    """How long a speaker who disappeared keeps session, voice and channel."""
    task_revision: int = 0
    """Another number wherever Palabra's tasks are made from other settings than before."""
    plugins_revision: int = 0
    """Another number wherever other plugins are asked, or the same in another order."""

"""Questions to one plugin: each within its deadline, whatever comes of it; who hangs may rest."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from functools import partial
from typing import Any, Final, TypeVar

from palabra_agent.errors import Phase, PluginError
from palabra_agent.plugins_host.failure_log import FailureLog
from palabra_agent.plugins_host.fences import Errand, Errands, what_broke
from palabra_agent.plugins_host.questions import Question, WrongAnswer
from palabra_agent.plugins_host.rests import Rest

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")

CALL_SECONDS: Final = 1.0
"""What a plugin may take for an answer."""
_IN_TIME: Final = f"within {CALL_SECONDS:g} s"


class Asking:
    """The questions to one plugin, and what became of earlier ones."""

    def __init__(self, errands: Errands, log: FailureLog) -> None:
        self._errands = errands
        self._log = log
        self._rests: defaultdict[str, Rest] = defaultdict(Rest)
        self._now = asyncio.get_running_loop().time

    def rest_from(self, question: Question[Any, Any]) -> Rest:
        """How long the plugin is left alone with a kind of question."""
        return self._rests[question.method]

    async def ask(
        self, name: str, plugin: object, question: Question[AskedT, AnswerT], asked: AskedT
    ) -> AnswerT:
        """Ask something of the plugin, which is called by a name.

        Raises:
            PluginError: It gave no answer that could be used, or rests.
        """
        began, rest = self._now(), self.rest_from(question)
        if rest.lasts(began):
            raise PluginError(name, Phase.CALL, f"rests, for it gave no answer {_IN_TIME}")

        work = partial(question.put, plugin, asked)
        errand = self._errands.start(work, f"plugin {name}: {question.method}")
        try:
            is_over = await errand.wait(CALL_SECONDS)
        finally:
            if not errand.is_over:
                errand.cancel()

            self._errands.forget(errand)

        try:
            if not is_over:
                rest.begin(began, self._now())
                raise PluginError(name, Phase.CALL, f"gave no answer {_IN_TIME}")

            rest.end()
            return _answer(name, errand)
        except PluginError as failure:
            self._log.note(failure)
            raise


def _answer(name: str, errand: Errand[AnswerT]) -> AnswerT:
    error = errand.error
    if error is None:
        return errand.result

    # not isinstance(): an error of a plugin's may raise another where it is asked what it is
    reason = str(error) if type(error) is WrongAnswer else f"broke: {what_broke(error)}"
    raise PluginError(name, Phase.CALL, reason) from error

"""The faults of a running session: its bot, its connection, its tracks, its texts."""

from __future__ import annotations

from typing import Final

from palabra_emulator.faults.kinds import Fault, Variant, each, milliseconds, only, words
from palabra_emulator.faults.parameters import Between, OneOf, Parameter

SESSION_FAULTS: Final = (
    Fault(
        "F8",
        "The bot is not where it should be.",
        "The participant `palabra_translator_…` does not come, comes late, or leaves; while it is "
        "away nothing is answered, and what is said to it is lost.",
        (
            Variant("never", "opening", "it never comes"),
            Variant("late", "opening", "it comes `delay_ms` after the session's creation"),
            Variant("leaves", "now", "it leaves in the middle; the room stays for a minute"),
        ),
        (milliseconds(3_000, "how late"),),
        "Passed over: there is no bot.",
    ),
    Fault(
        "F13",
        "The server has heard nothing for too long, or says so.",
        "`error` SERVICE_TIMEOUT; 0.26 s later the participant is removed.",
        only("now"),
        (
            words(
                "detail",
                "No input audio received for 10s. "
                "Use the pause_task command for intentional pauses.",
                "the text",
            ),
        ),
        "The socket is closed with 1008.",
    ),
    Fault(
        "F14",
        "A voice does not exist.",
        "`warning` VOICE_NOT_FOUND; everything goes on.",
        only("now"),
        (words("voice_id", "default_low", "the voice's id"),),
    ),
    Fault(
        "F15",
        "The sound comes too fast, too slowly or not at all, says the server.",
        "`warning` with the variant's code; everything goes on.",
        each(
            "now",
            AUDIO_STREAM_TOO_FAST="more than real time",
            AUDIO_STREAM_TOO_SLOW="less than real time",
            AUDIO_STREAM_STALLED="nothing for a while",
        ),
        (words("detail", "", "the text; empty for the emulator's own"),),
    ),
    Fault(
        "F16",
        "The server loses the task of a running session.",
        "Nothing by itself: the tracks go, nothing more is said; `get_task` answers NOT_FOUND "
        "until the next `set_task`.",
        only("now"),
    ),
    Fault(
        "F17",
        "The server closes the room.",
        "The client is disconnected, without last words.",
        each(
            "now",
            removed="PARTICIPANT_REMOVED",
            room_deleted="ROOM_DELETED",
            server_shutdown="SERVER_SHUTDOWN",
            signal_drop="the signalling breaks without a word, and there is no way back in",
        ),
        (Parameter("close_code", OneOf((1001, 1006, 1011)), 1001, "of a WebSocket; 1006 cuts it"),),
        "The socket is closed with `close_code`; `signal_drop` cuts it.",
    ),
    Fault(
        "F18",
        "The network is gone for a moment.",
        "The signalling breaks, and to open it takes until `delay_ms` are over; what is said or "
        "spoken meanwhile is lost on either side. Then LiveKit resumes; after more than some five "
        "seconds it begins anew.",
        only("now"),
        (milliseconds(2_000, "for how long"),),
        "Passed over: there is nothing to resume. F17 with `close_code` 1006 loses the socket.",
    ),
    Fault(
        "F19",
        "Texts come in ways that a client must put up with; one stroke is one utterance.",
        "What the variant says.",
        each(
            "text",
            duplicates="every text comes twice",
            late_partial="a partial text comes again after the final one",
            reordered="the translations of two languages change places",
            no_end_timestamp="segments have no `end_timestamp`",
            null_end_timestamp="segments have the `end_timestamp` null",
            no_words="segments have no `words`",
            part_ids="final texts have the id `<id>_part_0` and no `translation_part_id`",
            no_segments="there are no `segments`",
            no_language="there is no `language`",
        ),
    ),
    Fault(
        "F20",
        "A packet makes no sense.",
        "The packet of the variant, between the others.",
        each(
            "now",
            non_json="a text that is no JSON",
            array="a JSON array",
            empty="`{}`",
            no_type="an object without `message_type`",
            unknown_type="a `message_type` that nobody knows",
            bad_data="a known type whose `data` is a text that is no JSON",
            huge="a text of `size` bytes",
            binary="bytes that are no text",
            cut="a JSON object that ends in the middle",
        ),
        (Parameter("size", Between(1, 60_000), 30_000, "how large the huge one is"),),
    ),
    Fault(
        "F21",
        "The translation tracks are not as expected.",
        "What the variant says.",
        (
            Variant("republished", "now", "all are taken back and published again, same names"),
            Variant("never", "tracks", "none is published"),
            Variant("wrong_case", "tracks", "`translation_ES-MX` for `es-mx`"),
            Variant("base_code", "tracks", "`translation_es` for `es-mx`"),
        ),
        (),
        "There are no tracks: `republished` is passed over, `never` waits on for a session with "
        "tracks, the other variants change the `language` of the sound.",
    ),
    Fault(
        "F22",
        "Speech piles up until the queue overflows.",
        "Long texts are told and spoken at once; the queue map shows a level above the maximum, "
        "then the desired one: the oldest speech has been dropped.",
        only("now"),
        (Parameter("seconds", Between(1, 120), 30, "how much speech for each language"),),
    ),
    Fault(
        "F26",
        "The session is up, speech goes in, and nothing comes out.",
        "What the variant says; not of Palabra's list, the emulator's own.",
        (
            Variant("no_output", "now", "no message and no sound any more, not even an answer"),
            Variant("deaf", "now", "commands are answered, but nothing is heard any more"),
            Variant("no_track", "tracks", "texts come, but no track"),
            Variant("no_bot", "opening", "the bot never comes"),
        ),
        (),
        "`no_track` and `no_bot` wait on for a session with a room.",
    ),
)

"""Addresses as an answer or an operator may write them: those that can be asked, and all others."""

from __future__ import annotations

from typing import Final

PASSWORD: Final = "hunter2"
"""In no sentence."""

_HOST: Final = "stream.example"

OTHER_SCHEMES: Final = ("ftp://stream.example", "wsss://stream.example", "rtc://stream.example")
"""Addresses in a way, of servers that cannot be asked."""

NO_ADDRESSES: Final = (
    *OTHER_SCHEMES,
    "nonsense",
    "stream.example",
    "stream.example/path",
    "//stream.example",
    "wss:stream.example",
    "wss:/stream.example",
    "wss//stream.example",
    "file:///etc/passwd",
    "data:text/plain,hello",
    "javascript:alert(1)",
    "unix:///run/x.sock",
    "wss ://stream.example",
    "wss://",
    "wss:///path",
    "wss://?token=x",
    "wss://#x",
    "wss://:443",
    f"wss://me:{PASSWORD}@stream.example",
    f"wss://me:{PASSWORD}@",
    f"wss://:{PASSWORD}@stream.example",
    f"wss://{PASSWORD}@stream.example",
    "wss://@stream.example",
    f"wss://me:{PASSWORD}@stream.example@other.example",
    f"wss://me:{PASSWORD}#@stream.example",
    f"wss://me:{PASSWORD}@[::1",
    "wss://.",
    "wss://..",
    "wss://...",
    "wss://.stream.example",
    "wss://stream..example",
    "wss://stream.example..",
    f"wss://{'a' * 64}.example",
    f"wss://{'a' * 300}",
    f"wss://{'.'.join(['a' * 60] * 5)}",
    f"wss://{'ü' * 64}.example",
    f"wss://{_HOST}/{'a' * 3_000}",
    "wss://stream.example:0",
    "wss://stream.example:65536",
    "wss://stream.example:99999",
    "wss://stream.example:-1",
    f"wss://stream.example:{PASSWORD}",
    "wss://stream.example:80:80",
    "wss://stream example",
    " wss://stream.example",
    "wss://stream.example ",
    "wss://stream.example\n",
    "wss://stream.exam\nple",
    "wss://stream.example/\r\nX-Header: x",
    "wss://stream.example\x00",
    "wss://stream.example\u2028",
    "wss://stream%2eexample",
    "wss://%00",
    "wss://stream.example%20",
    "wss://[::1",
    "wss://::1]",
    "wss://[]",
    "wss://[stream.example]",
    "wss://[::g]",
    "wss://[1.2.3.4]",
    "wss://*.example",
    "wss://str{eam.example",
    "wss://stream.example\\@other.example",
    "wss://\u2100.example",
    "wss://\ud800.example",
)

ADDRESSES: Final = (
    "wss://stream.example",
    "WSS://STREAM.EXAMPLE/Path?x=1#y",
    "https://stream.example/livekit/",
    "wss://stream.example.",
    "wss://stream_1.example",
    "wss://xn--bcher-kva.example",
    "wss://bücher.example",
    "wss://日本語.example",
    "wss://stream.example:443",
    "wss://stream.example:65535/{random_hash}/stream",
    "wss://stream.example:",
    "wss://1.2.3.4",
    "wss://[2001:db8::1]:443/x",
    "wss://[::ffff:1.2.3.4]",
    f"wss://{'a' * 63}.example",
)

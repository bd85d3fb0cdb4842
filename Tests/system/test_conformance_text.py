"""RFC 6455 over raw sockets: UTF-8, group 6 of the Autobahn Testsuite. What is valid is carried in a command and answered, what
is not closes with 1007, wherever frames and segments happen to be cut."""

import pytest
from frames import CONTINUATION, OCTETS, TEXT, Peer, fragments, frame, spoken

INVALID_DATA = 1007
# With the accented letter of three bytes.
GREEK = "\u03ba\u1f79\u03c3\u03bc\u03b5".encode()

# By the numbers of the suite. A JSON string holds no control characters, so the first code point of one byte is left out.
VALID = {
    "6.2 greek": GREEK, "6.2 mixed": "Hello-µ@ßöäüàá-UTF-8!!".encode(), "6.5 ascii and greek": b"Hello" + GREEK,
    "6.7.2": "\u0080".encode(), "6.7.3": "\u0800".encode(), "6.7.4": "\U00010000".encode(), "6.9.1": b"\x7f",
    "6.9.2": "\u07ff".encode(), "6.9.3": "\uffff".encode(), "6.9.4": "\U0010ffff".encode(), "6.11.1": "\ud7ff".encode(),
    "6.11.2": "\ue000".encode(), "6.11.3": "\ufffd".encode(), "6.11.4": "\U0010ffff".encode(), "6.23.1": "\ufffe".encode(),
    **{f"6.22 U+{point:X}": chr(point).encode() for plane in range(17) for point in (plane << 16 | 0xFFFE, plane << 16 | 0xFFFF)},
}
INVALID = {
    "6.3 within": GREEK + b"\xed\xa0\x80edited", "6.4 beyond": GREEK + b"\xf4\x90\x80\x80edited",
    "6.6.2 cut": GREEK[:1], "6.6.5 cut": GREEK[:4], "6.6.8 cut": "ε\U00010000".encode()[:3], "6.6.9 cut": "\U00010000".encode()[:3],
    "6.8.1 five bytes": b"\xf8\x88\x80\x80\x80", "6.8.2 six bytes": b"\xfc\x84\x80\x80\x80\x80", "6.10.1": b"\xf7\xbf\xbf\xbf",
    "6.10.2": b"\xfb\xbf\xbf\xbf\xbf", "6.10.3": b"\xfd\xbf\xbf\xbf\xbf\xbf", "6.11.5 beyond": b"\xf4\x90\x80\x80",
    "6.12.1 alone": b"\x80", "6.12.2 alone": b"\xbf", **{f"6.12.{count + 1} alone": (b"\x80\xbf" * 4)[:count] for count in range(2, 8)},
    "6.12.8 all alone": bytes(range(0x80, 0xC0)), "6.13.1 starts": b" ".join(bytes([each]) for each in range(0xC0, 0xE0)) + b" ",
    "6.13.2 starts": b" ".join(bytes([each]) for each in range(0xE0, 0xF0)) + b" ", "6.13.3 starts": b"\xf0 \xf1 \xf2 \xf3 \xf4 \xf5 \xf6 \xf7 ",
    "6.13.4 starts": b"\xf8 \xf9 \xfa \xfb ", "6.13.5 starts": b"\xfc \xfd ", "6.14.1": b"\xc0", "6.14.2": b"\xe0\x80", "6.14.3": b"\xf0\x80\x80",
    "6.14.4": b"\xf8\x80\x80\x80", "6.14.5": b"\xfc\x80\x80\x80\x80", "6.14.6": b"\xdf", "6.14.7": b"\xef\xbf", "6.14.8": b"\xf7\xbf\xbf",
    "6.14.9": b"\xfb\xbf\xbf\xbf", "6.14.10": b"\xfd\xbf\xbf\xbf\xbf", "6.15.1": b"\xc0\xe0\x80\xf0\x80\x80\xdf\xef\xbf\xf7\xbf\xbf",
    "6.16.1": b"\xfe", "6.16.2": b"\xff", "6.16.3": b"\xfe\xfe\xff\xff", "6.17.1 overlong": b"\xc0\xaf", "6.17.2 overlong": b"\xe0\x80\xaf",
    "6.17.3 overlong": b"\xf0\x80\x80\xaf", "6.17.4 overlong": b"\xf8\x80\x80\x80\xaf", "6.17.5 overlong": b"\xfc\x80\x80\x80\x80\xaf",
    "6.18.1 overlong": b"\xc1\xbf", "6.18.2 overlong": b"\xe0\x9f\xbf", "6.18.3 overlong": b"\xf0\x8f\xbf\xbf",
    "6.18.4 overlong": b"\xf8\x87\xbf\xbf\xbf", "6.18.5 overlong": b"\xfc\x83\xbf\xbf\xbf\xbf", "6.19.1 overlong": b"\xc0\x80",
    "6.19.2 overlong": b"\xe0\x80\x80", "6.19.3 overlong": b"\xf0\x80\x80\x80", "6.20.1 surrogate": b"\xed\xa0\x80",
    "6.20.2 surrogate": b"\xed\xad\xbf", "6.20.3 surrogate": b"\xed\xae\x80", "6.20.4 surrogate": b"\xed\xaf\xbf",
    "6.20.5 surrogate": b"\xed\xb0\x80", "6.20.6 surrogate": b"\xed\xbe\x80", "6.20.7 surrogate": b"\xed\xbf\xbf",
    "6.21.1 pair": b"\xed\xa0\x80\xed\xb0\x80", "6.21.8 pair": b"\xed\xaf\xbf\xed\xbf\xbf",
}


def cases(table):
    return pytest.mark.parametrize("text", table.values(), ids=table.keys())


def is_answered(system, *frames, chop=None):
    with Peer(system) as peer:
        peer.send(*frames, chop=chop)
        assert peer.reply(2)["error"]["code"] == 104


def is_closed(system, *frames, chop=None):
    with Peer(system) as peer:
        peer.send(*frames, chop=chop)
        before, end = peer.end()
        assert (before, end.code) == ([], INVALID_DATA), end


def test_6_1_empty_fragments_are_part_of_a_message(system):
    with Peer(system) as peer:
        peer.send(frame(TEXT, fin=False), frame(CONTINUATION, spoken(2, b""), fin=False), frame(CONTINUATION))
        assert peer.reply(2)["error"]["code"] == 104
        peer.send(frame(TEXT, fin=False), frame(CONTINUATION, fin=False), frame(CONTINUATION))
        assert peer.end()[1].code == 3501, "three empty fragments hold no command"


@cases(VALID)
def test_6_valid_text_is_read_wherever_it_is_cut(system, text):
    message = spoken(2, text)
    is_answered(system, frame(TEXT, message))
    is_answered(system, frame(TEXT, message), chop=OCTETS)
    is_answered(system, *fragments(message, *range(1, len(message))))
    start = message.index(text)
    for cut in range(start, start + len(text) + 1):
        is_answered(system, *fragments(message, cut))


@cases(INVALID)
def test_6_invalid_text_is_refused_wherever_it_is_cut(system, text):
    message = spoken(2, text)
    is_closed(system, frame(TEXT, message))
    is_closed(system, frame(TEXT, message), chop=OCTETS)
    is_closed(system, *fragments(message, *range(1, len(message))))
    start = message.index(text)
    for cut in range(start, start + len(text) + 1):
        is_closed(system, *fragments(message, cut))


@pytest.mark.parametrize("text", [b"\xce", b"\xe1\xbd", b"\xf0\x90\x80"], ids=["of two", "of three", "of four"])
def test_6_a_message_that_ends_within_a_character_is_refused(system, text):
    """Nothing follows that could be looked at instead of it."""
    is_closed(system, frame(TEXT, text))
    is_closed(system, frame(TEXT, b"{}" + text))
    for cut in range(1, len(text) + 1):
        is_closed(system, *fragments(text, cut))


@pytest.mark.parametrize("text", [b"\xf4\x90", b"\xed\xa0", b"\xc0", b"\xff", b"\xf8"])
def test_6_4_what_cannot_become_valid_any_more_is_refused_before_the_message_ends(system, text):
    is_closed(system, frame(TEXT, GREEK + text, fin=False))
    is_closed(system, frame(TEXT, GREEK, fin=False), frame(CONTINUATION, text, fin=False))


@pytest.mark.parametrize("at", [123, 124, 125, 126, 127, 128, 129, 4092, 4093, 4094, 4095, 4096, 16383, 65528])
def test_6_long_texts_are_checked_across_every_buffer(system, at):
    """The server reads in pieces; no border between two of them may hide a character that is none, or break one that is."""
    head = spoken(2, b"")[:-3]
    good = head + b"x" * (at - len(head))
    is_answered(system, frame(TEXT, good + "\U00010348".encode() + b'"}}'))
    for bad in (b"\xf0\x90\x8d", b"\xed\xa0\x80", b"\xc0\x80"):
        is_closed(system, frame(TEXT, good + bad + b'"}}'))

"""RFC 6455 over raw sockets: the handshake's extensions (groups 12 and 13 of the Autobahn Testsuite) and how a connection ends
(group 7)."""

import pytest
from frames import CLOSE, CONTINUATION, PING, TEXT, Peer, close, command, fragments, frame

PROTOCOL_ERROR, INVALID_DATA = 1002, 1007


def test_7_1_1_a_message_before_the_close_is_answered(system):
    with Peer(system) as peer:
        peer.send(frame(TEXT, command(2)), close(1000))
        before, end = peer.end()
        assert [each.payload for each in before] == [b'{"id":2,"ping":{}}'] and end.code == 1000


@pytest.mark.parametrize(
    "after", [close(1000), frame(PING, b"late"), frame(TEXT, command(3))], ids=["7.1.2 close", "7.1.3 ping", "7.1.4 text"])
def test_7_1_what_follows_the_close_is_not_looked_at(system, after):
    with Peer(system) as peer:
        peer.send(close(1000), after)
        before, end = peer.end()
        assert (before, end.code) == ([], 1000)


def test_7_1_5_a_close_within_a_message_ends_it(system):
    with Peer(system) as peer:
        first, second = fragments(command(2), 9)
        peer.send(first, close(1000), second)
        before, end = peer.end()
        assert (before, end.code) == ([], 1000)


def test_7_1_6_a_close_behind_a_large_message_is_answered(system):
    with Peer(system) as peer:
        peer.send(frame(TEXT, command(2, 65536)), close(1000), frame(PING))
        before, end = peer.end()
        assert [each.payload for each in before] == [b'{"id":2,"ping":{}}'] and end.code == 1000


def test_7_3_1_a_close_without_a_code_is_answered(system):
    with Peer(system) as peer:
        peer.send(close())
        before, end = peer.end()
        assert before == [] and end.code in (None, 1000)


def test_7_3_2_a_close_of_one_byte_is_an_error(system):
    with Peer(system) as peer:
        peer.send(frame(CLOSE, b"a"))
        assert peer.end()[1].code == PROTOCOL_ERROR


@pytest.mark.parametrize("reason", [b"", b"Hello World!", b"*" * 123, "Κλείσιμο".encode()], ids=["7.3.3", "7.3.4", "7.3.5", "7.5"])
def test_7_3_a_close_with_a_reason_is_answered_with_its_code(system, reason):
    with Peer(system) as peer:
        peer.send(close(1000, reason))
        assert peer.end()[1].code == 1000


def test_7_3_6_a_close_of_126_bytes_is_too_long(system):
    with Peer(system) as peer:
        peer.send(close(1000, b"*" * 124))
        found = peer.read()
        assert found is None or found.code == PROTOCOL_ERROR, "it may be cut off without a word"


@pytest.mark.parametrize("reason", [b"\xce\xba\xed\xa0\x80edited", b"\xff", b"\xc0\x80", b"\xf0\x90\x80"])
def test_7_5_1_a_reason_that_is_no_text_is_an_error(system, reason):
    with Peer(system) as peer:
        peer.send(close(1000, reason))
        assert peer.end()[1].code == INVALID_DATA


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999])
@pytest.mark.parametrize("reason", [b"", b"x"])
def test_7_7_a_code_that_may_be_sent_is_answered_with_itself(system, code, reason):
    with Peer(system) as peer:
        peer.send(close(code, reason))
        assert peer.end()[1].code == code


@pytest.mark.parametrize("code", [0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535])
@pytest.mark.parametrize("reason", [b"", b"x"])
def test_7_9_and_7_13_a_code_that_may_not_be_sent_is_an_error(system, code, reason):
    with Peer(system) as peer:
        peer.send(close(code, reason))
        assert peer.end()[1].code == PROTOCOL_ERROR


def test_a_fragmented_close_is_an_error(system):
    with Peer(system) as peer:
        peer.send(frame(CLOSE, b"\x03\xe8", fin=False), frame(CONTINUATION))
        assert peer.end()[1].code == PROTOCOL_ERROR


def test_the_servers_own_close_waits_for_the_answer(system):
    """After 3501 the client may take its time, and gets nothing more."""
    with Peer(system) as peer:
        peer.send(frame(TEXT, b"nothing"), frame(TEXT, command(2)), frame(PING))
        before, end = peer.end()
        assert (before, end.code) == ([], 3501)


# 12 and 13: compression


@pytest.mark.parametrize(
    "offer", [
        "permessage-deflate", "permessage-deflate; client_max_window_bits", "permessage-deflate; server_no_context_takeover; client_no_context_takeover",
        "permessage-deflate; server_max_window_bits=9, permessage-deflate", "x-webkit-deflate-frame", "no-such-extension",
    ])
def test_12_and_13_no_extension_is_accepted(system, offer):
    with Peer(system, extra=f"Sec-WebSocket-Extensions: {offer}\r\n") as peer:
        assert "sec-websocket-extensions" not in peer.head
        # "ping" as permessage-deflate would have it.
        peer.send(frame(TEXT, bytes.fromhex("2ac8cc4b0700"), rsv=4))
        assert peer.end(is_orderly=False)[1].code == PROTOCOL_ERROR


def test_only_a_subprotocol_that_is_spoken_is_chosen(system):
    with Peer(system, extra="Sec-WebSocket-Protocol: centrifuge-protobuf, centrifuge-json\r\n") as peer:
        assert peer.head["sec-websocket-protocol"] == "centrifuge-json"
    for extra in ("", "Sec-WebSocket-Protocol: centrifuge-protobuf\r\n", "Sec-WebSocket-Protocol: mqtt\r\n"):
        with Peer(system, extra=extra) as peer:
            assert "sec-websocket-protocol" not in peer.head

"""RFC 6455 over raw sockets, case by case as the Autobahn Testsuite numbers them: framing, pings, reserved bits, opcodes,
fragmentation, limits. The server speaks JSON and echoes nothing: what is valid is proved by a command that is answered, what
is not by the close code."""

import pytest
from frames import BINARY, CLOSE, CONTINUATION, OCTETS, PING, PONG, TEXT, Peer, command, fragments, frame

PROTOCOL_ERROR, NOT_ACCEPTABLE, TOO_BIG = 1002, 1003, 1009
LARGEST = 64 * 1024
WAYS = pytest.mark.parametrize("chop", [None, OCTETS], ids=["whole", "octets"])


def is_answered(system, *frames, chop=None, number=2):
    with Peer(system) as peer:
        peer.send(*frames, chop=chop)
        assert peer.reply(number)["id"] == number


def is_closed(system, code, *frames, chop=None):
    """What came before the close frame."""
    with Peer(system) as peer:
        peer.send(*frames, chop=chop)
        before, end = peer.end(is_orderly=False)
        assert end.code == code, end
        return before


# 1: framing


@pytest.mark.parametrize("size", [22, 125, 126, 127, 128, 65535, 65536])
def test_1_1_a_text_of_this_size_is_read(system, size):
    is_answered(system, frame(TEXT, command(2, size)))


@pytest.mark.parametrize("chop", [1, 7, 997, 1 << 14])
def test_1_1_8_a_large_text_may_arrive_in_pieces(system, chop):
    is_answered(system, frame(TEXT, command(2, 65536)), chop=chop)


def test_1_1_1_an_empty_text_holds_no_command(system):
    is_closed(system, 3501, frame(TEXT))


@pytest.mark.parametrize("size", [0, 125, 126, 127, 128, 65535, 65536])
def test_1_2_binary_is_not_spoken_here(system, size):
    is_closed(system, NOT_ACCEPTABLE, frame(BINARY, b"\xfe" * size))


# 2: pings and pongs


@WAYS
@pytest.mark.parametrize("payload", [b"", b"Hello, world!", b"\x00\xff\xfe\xfd\xfc\xfb\x00\xff", b"\xfe" * 125], ids=["0", "13", "8", "125"])
def test_2_1_to_2_4_and_2_6_a_ping_is_answered_with_its_payload(system, payload, chop):
    with Peer(system) as peer:
        peer.send(frame(PING, payload), chop=chop)
        assert peer.read() == (PONG, payload, True, 0)


@WAYS
def test_2_5_a_ping_of_126_bytes_is_too_long(system, chop):
    """Its connection is cut off without a close frame, which the suite lets pass, too."""
    with Peer(system) as peer:
        peer.send(frame(PING, b"\xfe" * 126), frame(TEXT, command(2)), chop=chop)
        found = peer.read()
        assert found is None or found.code == PROTOCOL_ERROR


@pytest.mark.parametrize("payload", [b"", b"unsolicited"])
def test_2_7_and_2_8_an_unsolicited_pong_is_ignored(system, payload):
    is_answered(system, frame(PONG, payload), frame(TEXT, command(2)))


def test_2_9_a_pong_is_not_taken_for_a_ping(system):
    with Peer(system) as peer:
        peer.send(frame(PONG, b"unsolicited"), frame(PING, b"solicited"))
        assert peer.read() == (PONG, b"solicited", True, 0)


@WAYS
def test_2_10_and_2_11_pings_that_come_together_get_pongs_in_their_order(system, chop):
    """One may stand for several (RFC 6455 section 5.5.3), but none is made up, and one that comes alone is answered."""
    with Peer(system) as peer:
        payloads = [b"payload-%d" % number for number in range(10)]
        peer.send(*[frame(PING, each) for each in payloads], frame(TEXT, command(2)), chop=chop)
        found = []
        while {each.opcode for each in found} != {PONG, TEXT}:
            found.append(peer.read())
        pongs = [each.payload for each in found if each.opcode == PONG]
        assert pongs == [each for each in payloads if each in pongs]
        peer.send(frame(PING, b"last"))
        while (pong := peer.read()).payload != b"last":
            assert pong.payload in payloads


# 3: reserved bits


@pytest.mark.parametrize("rsv", range(1, 8))
@pytest.mark.parametrize("opcode", [TEXT, BINARY, PING, PONG, CLOSE, CONTINUATION])
def test_3_1_to_3_7_no_reserved_bit_has_a_meaning(system, opcode, rsv):
    is_closed(system, PROTOCOL_ERROR, frame(opcode, b"", rsv=rsv))


@pytest.mark.parametrize("chop", [None, OCTETS, 9])
def test_3_2_to_3_4_what_came_before_the_bit_is_answered(system, chop):
    before = is_closed(system, PROTOCOL_ERROR, frame(TEXT, command(2)), frame(TEXT, command(3), rsv=2), frame(PING), chop=chop)
    assert [each.payload for each in before] == [b'{"id":2,"ping":{}}']


# 4: opcodes


@pytest.mark.parametrize("payload", [b"", b"reserved opcode payload"], ids=["empty", "payload"])
@pytest.mark.parametrize("opcode", [3, 4, 5, 6, 7, 11, 12, 13, 14, 15])
def test_4_1_and_4_2_reserved_opcodes_are_refused(system, opcode, payload):
    is_closed(system, PROTOCOL_ERROR, frame(opcode, payload))


@pytest.mark.parametrize("opcode", [5, 13])
@pytest.mark.parametrize("chop", [None, OCTETS])
def test_4_1_3_to_4_2_5_what_came_before_the_opcode_is_answered(system, opcode, chop):
    before = is_closed(system, PROTOCOL_ERROR, frame(TEXT, command(2)), frame(opcode, b"reserved"), frame(PING), chop=chop)
    assert [each.payload for each in before] == [b'{"id":2,"ping":{}}']


# 5: fragmentation


@pytest.mark.parametrize("opcode", [PING, PONG])
def test_5_1_and_5_2_control_frames_are_not_fragmented(system, opcode):
    is_closed(system, PROTOCOL_ERROR, *fragments(b"fragment1fragment2", 9, opcode=opcode))


@pytest.mark.parametrize("chop", [None, 8, OCTETS])
def test_5_3_to_5_5_a_text_in_two_fragments_is_one_message(system, chop):
    is_answered(system, *fragments(command(2), 9), chop=chop)


@pytest.mark.parametrize("chop", [None, 8, OCTETS])
def test_5_6_to_5_8_a_ping_between_fragments_is_answered_before_their_message_ends(system, chop):
    with Peer(system) as peer:
        first, second = fragments(command(2), 9)
        peer.send(first, frame(PING, b"between"), chop=chop)
        assert peer.read() == (PONG, b"between", True, 0)
        peer.send(second, chop=chop)
        assert peer.reply(2) == {"id": 2, "ping": {}}


def test_5_6_a_ping_and_a_message_that_arrive_together_are_both_answered(system):
    with Peer(system) as peer:
        first, second = fragments(command(2), 9)
        peer.send(first, frame(PING, b"between"), second)
        assert {peer.read().payload, peer.read().payload} == {b"between", b'{"id":2,"ping":{}}'}


@pytest.mark.parametrize("chop", [None, 8, OCTETS])
@pytest.mark.parametrize("fin", [True, False])
def test_5_9_to_5_14_a_continuation_of_nothing_is_refused(system, fin, chop):
    is_closed(system, PROTOCOL_ERROR, frame(CONTINUATION, b"non-continuation payload", fin=fin), frame(TEXT, command(2)), chop=chop)


@pytest.mark.parametrize("fin", [True, False])
def test_5_15_to_5_17_after_a_whole_message_nothing_is_to_be_continued(system, fin):
    before = is_closed(
        system, PROTOCOL_ERROR, *fragments(command(2), 9), frame(CONTINUATION, b"continues", fin=fin), frame(TEXT, command(3)))
    assert [each.payload for each in before] == [b'{"id":2,"ping":{}}']


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
def test_5_18_a_message_within_a_message_is_refused(system, opcode):
    is_closed(system, PROTOCOL_ERROR, frame(TEXT, b"fragment1", fin=False), frame(opcode, b"fragment2"))


@pytest.mark.parametrize("chop", [None, OCTETS])
def test_5_19_and_5_20_pings_among_five_fragments(system, chop):
    with Peer(system) as peer:
        parts = fragments(command(2), 3, 6, 9, 12)
        peer.send(*parts[:2], frame(PING, b"first"), chop=chop)
        assert peer.read() == (PONG, b"first", True, 0)
        peer.send(*parts[2:4], frame(PING, b"second"), chop=chop)
        assert peer.read() == (PONG, b"second", True, 0)
        peer.send(parts[4], chop=chop)
        assert peer.reply(2) == {"id": 2, "ping": {}}


# 9 and 10: limits


@pytest.mark.parametrize("size", [64, 256, 1024, 4096, 16384])
def test_9_3_and_10_1_the_largest_message_comes_in_fragments_of_any_size(system, size):
    is_answered(system, *fragments(command(2, LARGEST), *range(size, LARGEST, size)))


@pytest.mark.parametrize("chop", [64, 256, 1024, 2048])
def test_9_5_the_largest_message_comes_in_segments_of_any_size(system, chop):
    is_answered(system, frame(TEXT, command(2, LARGEST)), chop=chop)


@pytest.mark.parametrize("size", [32, 256, 2048])
def test_9_7_many_messages_are_answered_in_their_order(system, size):
    with Peer(system) as peer:
        for start in range(2, 162, 20):
            peer.send(*[frame(TEXT, command(number, size)) for number in range(start, start + 20)])
            for number in range(start, start + 20):
                assert peer.reply(number)


@pytest.mark.parametrize("size", [LARGEST + 1, 256 * 1024, 1 << 20])
def test_9_1_a_text_beyond_the_limit_is_too_big(system, size):
    is_closed(system, TOO_BIG, frame(TEXT, command(2, size)))


@pytest.mark.parametrize("size", [64, 4096, 65536])
def test_9_3_fragments_beyond_the_limit_are_too_big(system, size):
    is_closed(system, TOO_BIG, *fragments(command(2, 4 * LARGEST), *range(size, 4 * LARGEST, size)))


def test_9_endless_empty_fragments_are_no_way_around_the_limit(system):
    """Nothing is kept of them, and the message they begin still ends."""
    parts = [frame(TEXT, command(2), fin=False), *[frame(CONTINUATION, fin=False)] * 5000, frame(CONTINUATION)]
    is_answered(system, *parts)


def test_several_commands_may_share_a_frame(system):
    with Peer(system) as peer:
        peer.send(frame(TEXT, command(2) + b"\n" + command(3) + b"\n"))
        assert peer.reply(2) and peer.reply(3)

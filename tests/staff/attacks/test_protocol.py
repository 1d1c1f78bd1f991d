"""Attacks on the line itself: what a worker may say is read as if it had been written by an enemy."""

import json
import socket
import struct

import pytest
import torch

from coursekit.checks.recorder import Recorder
from coursekit.staff.isolated.peer import Line
from coursekit.staff.isolated.plain import Opaque, Reader, Writer
from coursekit.staff.isolated.wire import LENGTHS, Channel, WorkerGone

HEADERS = {
    "no JSON": b"\x80\x04\x95pickle",
    "a pickle": b"cos\nsystem\n(S'true'\ntR.",
    "nothing": b"",
    "a number": b"7",
    "deep brackets": b"[" * 10**5,
    "deep and closed": b"[" * 10**5 + b"]" * 10**5,
    "lengths that do not add up": b'[["return", [], [], 1, null], [5]]',
    "negative lengths": b'[["return", [], [], 1, null], [-5, 5]]',
    "lengths that are text": b'[["return", [], [], 1, null], ["5"]]',
    "a kind that is none": b'[["eval", [], [], "1"], []]',
    "too few parts": b'[["return"], []]',
    "too many parts": b'[["return", [], [], 1, null, 3], []]',
    "a value of no kind": b'[["return", [], [], 1, {"a": 1}], []]',
    "a value of an unknown kind": b'[["return", [], [], 1, ["q", 1]], []]',
    "a tensor that lacks its numbers": b'[["return", [], [], 1, ["tensor", "float64", [3], 0, -1, ""]], []]',
    "a tensor larger than its numbers": b'[["return", [], [], 1, ["tensor", "float64", [1000000, 1000000], 0, -1, ""]], [0]]',
    "a tensor of negative size": b'[["return", [], [], 1, ["tensor", "float64", [-1], 0, -1, ""]], [0]]',
    "a tensor of a type that is none": b'[["return", [], [], 1, ["tensor", "object", [0], 0, -1, ""]], [0]]',
    "a tensor of many axes": b'[["return", [], [], 1, ["tensor", "float64", [' + b"1," * 99 + b'1], 0, -1, ""]], [8]]',
    "something of ours that is not there": b'[["return", [], [], 1, ["given", 7, -1]], []]',
    "something of ours by a negative number": b'[["return", [], [], 1, ["given", -1, -1]], []]',
    "a view beyond memory": b'[["return", [], [], 1, ["view", 0, [1000000], [1], 0, -1]], []]',
    "a view before memory": b'[["return", [], [], 1, ["view", 0, [1], [1], -5, -1]], []]',
    "a call of a tensor": b'[["call", [], [], 0, ["tuple", []], ["dict", []], true, ["list", []]], []]',
    "a call of nothing": b'[["call", [], [], 99, ["tuple", []], ["dict", []], true, ["list", []]], []]',
    "a call without arguments": b'[["call", [], [], 1, null, null, true, null], []]',
    "a gradient of nothing": b'[["gradient", [], [], 5, 0, null], []]',
    "a change of nothing": b'[["return", [["buffer learned", 99, null]], [], 1, null], []]',
    "a broken law of nothing": b'[["return", [], [[99, "", "values"]], 1, null], []]',
    "a broken law of no kind": b'[["return", [], [7], 1, null], []]',
    "a broken law of a part that is not there": b'[["return", [], [[2, "x.y", "training"]], 1, null], []]',
    "a change of no kind": b'[["return", [["moved somehow", 0]], [], 1, null], []]',
    "an attribute of Python's": b'[["return", [["note changed", 3, "__class__", 1]], [], 1, null], []]',
    "an attribute that was not there": b'[["return", [["note changed", 3, "new", 1]], [], 1, null], []]',
    "an attribute of torch's": b'[["return", [["note changed", 2, "in_features", 1]], [], 1, null], []]',
    "a mode by a note": b'[["return", [["note changed", 3, "training", false]], [], 1, null], []]',
    "a module that is not there": b'[["return", [["mode switched", 2, "x.y", true]], [], 1, null], []]',
    "a huge whole number": b'[["return", [], [], 1, ' + b"9" * 5000 + b"], []]",
    "a network without modules": b'[["return", [], [], 1, ["network", 1, [], []]], []]',
    "a network that contains itself": b'[["return", [], [], 1, ["network", 1, [["A", "Module", -1, true, ["dict", []], [["x", 0]], [], []]], []]], []]',
    "a generator of nonsense": b'[["return", [], [], 1, ["generator", ["tensor", "uint8", [0], 0, -1, ""]]], [0]]',
    "an exception with a system exit's name": b'[["raise", [], [], ["SystemExit"], "", "", -1], []]',
}


def answer(header, body=b""):
    """Ask a worker that says exactly this."""
    ours, theirs = socket.socketpair()
    line = Line(Channel(ours), None)
    line.channel.deadline = __import__("time").monotonic() + 5
    line.home += [torch.zeros(4), lambda: None, torch.nn.Linear(2, 2), Recorder(torch.nn.Linear(2, 2))]
    theirs.sendall(LENGTHS.pack(len(header), len(body)) + header + body)
    theirs.shutdown(socket.SHUT_WR)
    line._send = lambda *content: []
    return line.request("look", "saliency", "x")


@pytest.mark.parametrize("name", HEADERS)
def test_what_cannot_be_read_ends_the_worker_and_nothing_else(name):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        answer(HEADERS[name])

    if "exception" in name:
        assert type(caught.value).__name__ == "SystemExit"
        assert isinstance(caught.value, Exception)
        assert not isinstance(caught.value, SystemExit)
    else:
        assert isinstance(caught.value, WorkerGone), caught.value
        assert len(str(caught.value)) < 300


def test_a_huge_length_takes_no_memory():
    for header, body in ((2**31, 0), (10, 2**40)):
        ours, theirs = socket.socketpair()
        theirs.sendall(struct.pack(">IQ", header, body))

        with pytest.raises(WorkerGone, match="more than any function returns"):
            Channel(ours).receive()


def test_a_frame_that_stops_half_way_is_late():
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    channel.deadline = __import__("time").monotonic() + 0.3
    theirs.sendall(struct.pack(">IQ", 100, 0) + b"x")

    with pytest.raises(WorkerGone) as caught:
        channel.receive()
    assert caught.value.outcome == "timeout"


@pytest.mark.parametrize("late", ['["return", [], [], 1, null]', '["raise", [], [], ["ValueError"], "x", "", -1]'])
def test_an_answer_that_comes_after_its_check_is_no_answer_of_the_next(late):
    """On a busy machine a second answer may arrive when the check has ended, and nobody looks."""
    ours, theirs = socket.socketpair()
    line = Line(Channel(ours), None)
    header = f"[{late}, []]".encode()
    theirs.sendall(LENGTHS.pack(len(header), 0) + header)

    with pytest.raises(WorkerGone) as caught:
        line.forget()
    assert caught.value is line.gone
    assert str(line.gone) == "the worker spoke between two checks"


def test_a_lack_of_ours_at_the_beginning_of_a_check_is_not_taken_for_the_workers_fault():
    line = Line(Channel(socket.socketpair()[0]), None)

    def no_room(*_content):
        raise MemoryError

    line._send = no_room
    with pytest.raises(MemoryError):
        line.forget()


def read(header, *buffers):
    body = b"".join(buffers)
    reader = Reader(json.dumps([header, [len(b) for b in buffers]]).encode(), memoryview(body), lambda *_: None)
    return reader.read(reader.message)


def test_names_of_the_workers_are_names_and_nothing_more():
    for name in ("__class__", "x; import os", "Tensor\n", "a" * 1000, 7, None):
        thing = read(["opaque", name])
        assert isinstance(thing, Opaque)
        assert type(thing).__name__ in ("Something", "Tensor")
    patches = read(["named tuple", "Patches", ["indices", "__class__"], [1, 2]])
    assert patches.indices == 1
    assert type(patches).__mro__[1] is tuple


def test_numbers_that_are_no_truth_values_become_some():
    value = read(["tensor", "bool", [3], 0, -1, ""], bytes([0, 2, 255]))

    assert value.tolist() == [False, True, True]
    assert value.view(torch.uint8).tolist() == [0, 1, 1]


def test_text_that_no_file_takes_is_replaced():
    assert read("\ud800 and \u202e").encode("utf-8")


def test_plain_values_arrive_as_they_were_sent():
    values = [1, -(2**70), 2.5, float("inf"), "a", None, True, (1, [2, {"a": (3,)}]), torch.float32, torch.Size([2, 3])]
    tensors = [
        torch.arange(6).view(2, 3).mT,
        torch.zeros(0, 3),
        torch.ones(()).expand(1, 1),
        torch.tensor(1.5, dtype=torch.bfloat16),
        torch.tensor([True]),
    ]
    writer = Writer(lambda *_: None)
    told = writer.write([*values, *tensors])

    reader = Reader(writer.header(told), memoryview(b"".join(writer.buffers)), lambda *_: None)
    back = reader.read(reader.message)

    assert back[: len(values)] == values
    assert type(read(["ordered dict", [["a", 1]]])).__name__ == "OrderedDict"
    for mine, theirs in zip(back[len(values) :], tensors, strict=True):
        assert mine.dtype == theirs.dtype
        assert torch.equal(mine, theirs)


LIES = {
    "answers twice": "w._send(w_writer(), 'return', [1, None])\nreturn None",
    "speaks in another protocol": "w.channel.stream.sendall(b'HTTP/1.1 200 OK' * 100)\nreturn None",
    "claims that somebody was asked": "w.calls = -5\nreturn None",
    "calls back what it was not given": "w.call_back(10**6, (), {})\nreturn None",
    "says that the check has passed": "w.channel.send(b'[[\"passed\", [], []], []]')\nreturn None",
    "closes the line": "w.channel.close()\nreturn None",
    "takes the line over": "import socket, struct\ns = w.channel.stream\nfor _ in range(5):\n    s.recv(100, socket.MSG_DONTWAIT) if 0 else None\n"
    "h = b'[[\"return\", [], [], 1, [\"given\", 0, -1]], []]'\ns.sendall(struct.pack('>IQ', len(h), 0) + h)\nreturn None",
}
FIND = """
import gc
w = next(o for o in gc.get_objects() if type(o).__name__ == 'Worker')
def w_writer():
    from coursekit.staff.isolated.plain import Writer
    return Writer(w.table.describe)
"""


@pytest.mark.sampled(4)
@pytest.mark.parametrize("name", LIES)
def test_a_worker_that_lies_gains_nothing(grader, name):
    outcome = grader.attack(FIND + LIES[name])

    assert outcome.verdict().score == 0
    assert outcome.verdict().message
    assert outcome.verdict("active_units").score == 2, outcome.verdict("active_units").message
    assert outcome.neighbour.score == outcome.neighbour.max_score

"""Code is read in child processes: what a stranger's file does to one harms neither its neighbours nor whoever asks."""

import asyncio
import logging
import os
import threading

import pytest

from app.history import child_reader, passage_reader, scope_reader
from app.history.child_reader import CPU_SECONDS, MEMORY, Told, ask_child
from app.history.passage_reader import File, ReaderFailed, read_batch
from app.history.passages import read_passages
from app.history.scope_reader import read_scopes

PYTHON = File("port.py", "python", b'"""Ships come here and are told where."""\n\x00')
JAVA = File("A.java", "java", "/** Where the orders are: a ü store. */\nclass Store {}\n".encode())
LATIN = File("latin.py", "python", b'"""Caf\xe9s and nothing else in here."""\n')
#: Takes more than a gigabyte in the parser.
EATER = File("Eater.java", "java", b"class A { void f() { " + b"a<" * 20_000 + b" } }")


#: Ends the process that parses it: tree-sitter's Python grammar overruns what it keeps of indents.
CRASHER = File(
    "crasher.py", "python", b"".join(b" " * row + b"if a:\n" for row in range(600)) + b" " * 600 + b"'docs'\n"
)


def test_a_batch_is_read_as_each_file_by_itself() -> None:
    files = [PYTHON, LATIN, JAVA]
    alone = [read_passages(one.source, one.reader, repository="o/r", path=one.path) for one in files]
    assert list(read_batch(files, repository="o/r")) == alone
    assert [len(found) for found in alone] == [1, 0, 1]
    assert list(read_batch([], repository="o/r")) == []


@pytest.mark.parametrize("hostile", [EATER, CRASHER], ids=["eater", "crasher"])
def test_a_file_that_ends_its_reader_gives_nothing_and_its_neighbours_all(
    hostile: File, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        found = list(read_batch([PYTHON, hostile, JAVA], repository="o/r"))
    assert [[one.name for one in passages] for passages in found] == [[""], [], ["Store"]]
    (said,) = caplog.messages
    assert "nothing of a file is indexed" in said
    assert hostile.path not in said, "a name is a stranger's text"


def test_a_file_that_takes_too_long_gives_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    late = (
        "import sys, time\nprint('ready', flush=True)\nfor line in sys.stdin:\n    time.sleep('late' in line and 60)\n"
    )
    end = "    print('[]', flush=True)\n"

    def ask(module: str, asked: bytes) -> Told:
        """The limit is of the child's start, too: it is short where there is somebody to wait for in vain."""
        monkeypatch.setattr(child_reader, "LIMIT_SECONDS", 4.0 if b"late" in asked else 30.0)
        return _ask_script(late + end, module, asked)

    monkeypatch.setattr(passage_reader, "ask_child", ask)
    files = [PYTHON, File("late.py", "python", b"late = 1"), JAVA]
    assert list(read_batch(files, repository="o/r")) == [[], [], []]
    assert ["nothing of a file is indexed" in message for message in caplog.messages] == [True]


def _ask_script(script: str, _module: str, asked: bytes) -> Told:
    return ask_child("tests.unit.history.run_script", script.encode() + b"\0" + asked)


def test_children_that_are_never_ready_are_no_files_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passage_reader, "ask_child", lambda _module, asked: ask_child("app.no_such_module", asked))
    with pytest.raises(ReaderFailed, match=r"port\.py.* ended with 1"):
        list(read_batch([PYTHON], repository="o/r"))


def test_a_child_has_limits_and_nothing_of_our_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNDERSTUDY_SECRET", "not for parsers")
    script = (
        "import os, resource\nfrom app.history.child_reader import limit_child\nlimit_child()\n"
        "print(sorted(os.environ), resource.getrlimit(resource.RLIMIT_AS), resource.getrlimit(resource.RLIMIT_CPU))\n"
    )
    told = _ask_script(script, "", b"")
    names, _, limits = told.said.decode().strip().partition("] ")
    assert limits == f"({MEMORY}, {MEMORY}) ({CPU_SECONDS}, {CPU_SECONDS})"
    assert "PYTHONPATH" in names
    assert not {name for name in os.environ if name != "PYTHONPATH" and not name.startswith("LC_")} & set(
        names.strip("['").split("', '")
    )


async def test_two_children_are_at_work_at_once_whoever_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    working, most, lock = 0, 0, threading.Lock()

    def ask_and_count(module: str, asked: bytes) -> Told:
        nonlocal working, most
        with lock:
            working += 1
            most = max(most, working)
        try:
            return ask_child(module, asked)
        finally:
            with lock:
                working -= 1

    for module in (scope_reader, passage_reader):
        monkeypatch.setattr(module, "ask_child", ask_and_count)
    scopes = [read_scopes("a.py", "def f():\n    pass\n", [1]) for _ in range(4)]
    batches = [asyncio.to_thread(lambda: list(read_batch([JAVA], repository="o/r"))) for _ in range(2)]
    told = await asyncio.gather(*scopes, *batches)
    assert all(told)
    assert most == 2

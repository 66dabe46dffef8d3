"""The contents of files by their hash, asked of one git process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from app.github.git import GitFailed, open_git


@contextmanager
def open_blobs(git_dir: Path) -> Iterator[Callable[[str], bytes]]:
    """A function from a blob's hash to its bytes. Live only inside the block.

    Raises:
        GitFailed: from the function, when git cannot read that blob.
    """
    with open_git(git_dir, "cat-file", "--batch", settings={"core.deltaBaseCacheLimit": "32m"}) as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None  # noqa: S101 (asked for)
        assert told is not None  # noqa: S101 (asked for)

        def read(blob: str) -> bytes:
            try:
                asked.write(f"{blob}\n".encode())
                asked.flush()
            except BrokenPipeError as error:
                raise GitFailed(f"git cat-file ended before it was asked for {blob}") from error
            header = told.readline().split()
            if len(header) != 3:  # "<hash> missing", or nothing at all
                raise GitFailed(f"git cat-file has no {blob}")
            size = int(header[2])
            content = told.read(size + 1)
            if len(content) != size + 1:
                raise GitFailed(f"git cat-file ended within {blob}")
            return content[:-1]

        yield read

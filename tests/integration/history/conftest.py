"""A small repository with everything that real histories hold, made by the test."""

import subprocess
from pathlib import Path

import pytest

ANN = {"name": "Ann", "email": "Ann@Example.org"}
BOT = {"name": "dependabot[bot]", "email": "1+dependabot[bot]@example.org"}

PYTHON = '''def moor(ship):
    """Find the ship a berth that is wide enough.

    Late ships wait.
    """
    for berth in berths():
        if berth.width >= ship.width:
            return berth
    if ship.waits:
        queue(ship)
    return None
'''
JAVA = """class Port {
    /**
     * Frees the berth once the pilot has left the ship.
     */
    void free(Ship ship) {
        if (ship.hasPilot()) {
            return;
        }
        berths.remove(ship);
    }
}
"""


class Story:
    """A repository that is written commit by commit, each at a time of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.git_dir = folder / ".git"
        self._time = 1_700_000_000
        self._run("init", "-q", "-b", "main", str(folder))

    def commit(self, message: str | bytes, who: dict[str, str] = ANN, *options: str) -> str:
        self._time += 60
        self._run("add", "-A")
        words = message if isinstance(message, bytes) else message.encode()
        command = ("commit", "-q", "--allow-empty", "--allow-empty-message", "--no-verify", *options, "-F", "-")
        self._run(*command, given=words, who=who)
        return self.head()

    def write(self, path: str, content: str | bytes) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())

    def merge(self, branch: str) -> str:
        self._time += 60
        self._run("merge", "-q", "--no-ff", "-m", f"Merge branch '{branch}'", branch)
        return self.head()

    def git(self, *arguments: str) -> None:
        self._run(*arguments)

    def head(self) -> str:
        return self._run("rev-parse", "HEAD")

    def _run(self, *arguments: str, given: bytes = b"", who: dict[str, str] = ANN) -> str:
        identity = ["-c", f"user.name={who['name']}", "-c", f"user.email={who['email']}"]
        env = {
            "PATH": "/usr/bin:/bin:/usr/local/bin",
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_DATE": f"{self._time} +0200",
            "GIT_COMMITTER_DATE": f"{self._time} +0200",
        }
        self.folder.mkdir(parents=True, exist_ok=True)
        command = ["git", *identity, *arguments]
        return (
            subprocess.run(command, cwd=self.folder, env=env, check=True, capture_output=True, input=given)
            .stdout.decode()
            .strip()
        )


def some_lines(count: int, word: str = "tide") -> str:
    return "".join(f"{word}_{number} = {number}\n" for number in range(count))


@pytest.fixture(scope="session")
def story(tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Merges, renames, a change of type, bytes that are no UTF-8, a huge file, a submodule, a link, no message."""
    story = Story(tmp_path_factory.mktemp("history") / "origin")
    story.write("port.py", PYTHON)
    story.write("package-lock.json", some_lines(40))
    story.commit("Find a berth for every ship\n\nIssue #4.\n\nSigned-off-by: Ann <ann@example.org>\n")
    story.git("checkout", "-q", "-b", "tides")
    story.write("Port.java", JAVA)
    story.commit("Free berths late\n\ndiff --git a/none b/none\n@@ -1 +1 @@\n+not a diff\n")
    story.git("checkout", "-q", "main")
    story.write("tides.py", some_lines(20))
    story.commit("Read the tide table from its file")
    story.merge("tides")
    story.git("mv", "port.py", "quay.py")
    story.write("quay.py", PYTHON + "\n\n" + some_lines(12, "pier"))
    story.commit("Move ships to the quay")
    story.write("package-lock.json", some_lines(60))
    story.commit("Pin what the harbour is built from")
    story.write("logo.png", b"\x89PNG\0\1\2")
    story.commit("Draw a logo")
    story.write("latin.py", b'name = "Gr\xfc\xdfe"\n' * 15)
    story.write("plain.py", some_lines(11))
    story.commit(b"Greet sailors in their own words: Gr\xfc\xdfe")
    story.write("huge.py", some_lines(80_000))
    story.write("small.py", some_lines(14))
    story.commit("Keep the whole tide table of the century")
    story.git("update-index", "--add", "--cacheinfo", f"160000,{story.head()},vendor-port")
    (story.folder / "vendor-port").mkdir()  # else `git add` takes the submodule out again
    (story.folder / "link.py").symlink_to("quay.py")
    story.commit("Link the quay and its sister port")
    (story.folder / "vendor-port").rmdir()
    (story.folder / "link.py").unlink()
    story.write("link.py", some_lines(13))
    story.write("after.py", some_lines(10))
    story.commit("Make the link a file of its own")
    story.write("empty.py", some_lines(16))
    story.commit("")
    story.commit("Say that nothing had to be changed")
    story.write("tides.py", some_lines(40))
    story.commit("Raise the tides by twenty lines", BOT)
    story.write("ä weird\tname.py", some_lines(12))
    story.commit("Name a file as nobody should")
    story.git("rm", "-q", "plain.py")
    story.commit("Remove what nobody greets any more")
    story.write("large.py", some_lines(301) + JAVA)
    story.commit("Bring in every pier of the city")
    return story

"""Programs that want more than to be judged. Each has a function `attack` that answers "done" when it succeeded.

REACHING ones try to get something out or in: their own report must be a refusal. The harmless ones are also run outside
the sandbox by the test, where they must say "done": an attack that never works proves nothing.
FORGING ones do not solve the task and want to pass. GREEDY ones want the machine.
"""

from dataclasses import dataclass
from textwrap import dedent


@dataclass(frozen=True)
class Hostile:
    """`refused`: what `attack` answers in the sandbox. `live`: whether it may be run outside to see it succeed."""

    name: str
    program: str
    refused: str = "'no'"
    live: bool = True


def _reach(name: str, body: str, *, live: bool = True, setup: str = "") -> Hostile:
    """`body` is statements; an OSError in them is the refusal, and "done" follows them."""
    indented = "\n".join(f"        {line}" for line in dedent(body).strip().splitlines())
    program = (
        f"import ctypes, os, resource, signal, subprocess, sys\n{dedent(setup)}\n"
        f"def attack():\n    try:\n{indented}\n    except (OSError, ValueError):\n        return 'no'\n"
        "    return 'done'\n"
    )
    return Hostile(name, program, live=live)


_SYSCALL = """
LIBC = ctypes.CDLL(None, use_errno=True)
def call(x86, arm, *arguments):
    answer = LIBC.syscall(x86 if os.uname().machine == "x86_64" else arm, *arguments)
    if answer == -1:
        raise OSError(ctypes.get_errno(), "refused")
    return answer
"""

REACHING = (
    _reach("reads the users of the machine", "open('/etc/passwd').read()"),
    _reach("reads root's home", "os.listdir('/root')", live=False),
    _reach("reads the checkout", "open('{checkout}/pyproject.toml').read()"),
    _reach("lists the checkout's folder", "os.listdir('{checkout}')"),
    _reach("reads host names", "open('/etc/hosts').read()"),
    _reach("lists the temporary folder", "os.listdir('/tmp')"),
    _reach("reads a file of the test", "open('{secret}').read()"),
    _reach("finds a variable of the environment", "os.environ.get('HOSTILE_MARK') or os.stat('/nowhere')"),
    _reach("reads the environment of others", "open(f'/proc/{os.getppid()}/environ', 'rb').read()"),
    _reach("lists processes", "[name for name in os.listdir('/proc') if name.isdigit()]"),
    _reach("writes the memory of its parent", "open(f'/proc/{os.getppid()}/mem', 'r+b')", live=False),
    _reach("follows the root of another process", "os.listdir(os.path.join(f'/proc/{os.getppid()}', 'root'))"),
    _reach("reads kernel messages", "open('/dev/kmsg').read(10)", live=False),
    _reach("reads a disk", "open('/dev/vda', 'rb').read(1)", live=False),
    _reach("asks about devices", "os.listdir('/sys/class/net')"),
    _reach("starts a shell", "subprocess.run(['/bin/sh', '-c', 'true'], check=True)"),
    _reach("writes to /tmp", "open('/tmp/{mark}', 'w').write('x')"),
    _reach("writes beside itself", "open('{mark}', 'w').write('x')", live=False),
    _reach("writes to the interpreter", "open(os.path.join(os.path.dirname(os.__file__), '{mark}'), 'w')", live=False),
    _reach("changes its job", "open('/job/input', 'a').write('x')", live=False),
    _reach("deletes its job", "os.unlink('/job/input')", live=False),
    _reach("writes shared memory", "open('/dev/shm/{mark}', 'w').write('x')"),
    _reach("links to a file outside", "os.symlink('/etc/passwd', '/dev/link'); open('/dev/link').read()", live=False),
    _reach("makes a device", "os.mknod('/dev/disk', 0o60600, os.makedev(254, 0))", live=False),
    _reach("becomes root", "os.setuid(0)", live=False),
    _reach("becomes somebody else", "os.setresuid(1000, 1000, 1000)", live=False),
    _reach("joins a group", "os.setgroups([0])", live=False),
    _reach("raises a limit", "resource.setrlimit(resource.RLIMIT_NPROC, (64, 64))", live=False),
    _reach("connects", "import socket; socket.create_connection(('127.0.0.1', {port}), 2)"),
    _reach("sends a datagram", "import socket; socket.socket(2, 2).sendto(b'x', ('127.0.0.1', {port}))"),
    _reach("talks to a local daemon", "import socket; socket.socket(socket.AF_UNIX).connect('{unix}')"),
    _reach("talks to the host of a virtual machine", "import socket; socket.socket(socket.AF_VSOCK)"),
    _reach("opens a raw socket", "import socket; socket.socket(17, 3, 0)", live=False),
    _reach("signals its parent", "os.kill(os.getppid(), 9) if os.getppid() != 1 else os.kill(7, 9)", live=False),
    _reach("signals everybody", "os.kill(-1, 0)", live=False),
    _reach("traces the first process", "call(101, 117, 16, 1, 0, 0)", setup=_SYSCALL, live=False),
    _reach("traces itself", "call(101, 117, 0, 0, 0, 0)", setup=_SYSCALL),
    _reach("makes a user namespace", "call(272, 97, 0x10000000)", setup=_SYSCALL),
    _reach("clones into a namespace", "call(56, 220, 0x10000000 | 17, 0, 0, 0, 0) or os._exit(0)", setup=_SYSCALL),
    _reach("clones with hidden flags", "call(435, 435, 0, 0)", setup=_SYSCALL, live=False),
    _reach("mounts", "call(165, 40, b'none', b'/job', b'tmpfs', 0, None)", setup=_SYSCALL, live=False),
    _reach("changes the root", "os.chroot('/job')", live=False),
    _reach("opens by handle", "call(304, 265, -100, 0, 0)", setup=_SYSCALL, live=False),
    _reach("reads keys of the kernel", "call(250, 219, 0, -4, 1)", setup=_SYSCALL),
    _reach("loads a kernel program", "call(321, 280, 0, 0, 0)", setup=_SYSCALL, live=False),
    _reach("shares memory past the limit", "call(29, 194, 0, 1 << 20, 0o1600)", setup=_SYSCALL, live=False),
    _reach("keeps a file in memory", "os.memfd_create('x')"),
)  # fmt: skip

#: The task is `def attack(n): return n * n`; none of these does it.
_FORGED = {
    "exits with success": "import os\ndef attack(n): os._exit(0)",
    "exits while loading": "raise SystemExit(0)",
    "exits with the judge's own status": "import os\nos._exit(77)",
    "exits at exit": "import atexit, os\natexit.register(lambda: os._exit(77))\ndef attack(n): return 0",
    "equals everything": "class Yes(int):\n    def __eq__(self, other): return True\n    __hash__ = int.__hash__\n"
    "def attack(n): return Yes(0)",
    "compares as everything": "class Yes:\n    def __eq__(self, other): return True\n"
    "    def __bool__(self): return True\ndef attack(n): return Yes()",
    "spells itself as the expected": "class Yes(int):\n    def __repr__(self): return '__import__(\"os\")._exit(77)'\n"
    "def attack(n): return Yes(0)",
    "answers with code": "import os\nos.write(4, b\"('value', __import__('os')._exit(77))\\n\" * 50)\n"
    "def attack(n): return 0",
    "answers on every descriptor": "import os\nfor fd in range(3, 32):\n    try: os.write(fd, b'passed\\n' * 99)\n"
    "    except OSError: pass\ndef attack(n): return 0",
    "patches the builtins": "import builtins\nbuiltins.AssertionError = Exception\nbuiltins.exec = lambda *a: None\n"
    "def attack(n): return 0",
    "patches its own runner": "import __main__, sys\n__main__.PASSED = __main__.FAILED = 77\n"
    "__main__.judge = lambda *a: 77\ndef attack(n): return 0",
    "reads the tests": "text = open('/job/input').read()\nassert 'assert' in text\ndef attack(n): return 0",
    "looks for the tests in frames": "import sys\ndef attack(n):\n    frame = sys._getframe()\n    while frame:\n"
    "        frame.f_globals['attack'] = lambda n: n * n\n        if 'tests' in frame.f_locals: return n * n\n"
    "        frame = frame.f_back\n    return 0",
    "looks for the tests in memory": "import gc\ndef attack(n):\n    for item in gc.get_objects():\n"
    "        if isinstance(item, dict) and 'tests' in item: return n * n\n    return 0",
    "turns assertions off": "import sys, ctypes\nsys.flags\nimport ast\nast.Assert = ast.Pass\ndef attack(n): return 0",
    "raises the tests' own error": "def attack(n): raise SystemExit(0)",
    "answers from a thread": "import os, threading, time\ndef run():\n    while True:\n"
    "        try: os.write(4, b\"('value', 0)\\n\")\n        except OSError: return\n"
    "threading.Thread(target=run, daemon=True).start()\ndef attack(n): time.sleep(1); return 0",
    "handles signals": "import os, signal\nfor s in (1, 2, 3, 15): signal.signal(s, lambda *a: os._exit(77))\n"
    "def attack(n): os.kill(os.getpid(), 15)",
    "nests too deep": "import os\ndef attack(n):\n    os.write(4, b'(' * 900000 + b')' * 90000 + b'\\n'); return 0",
    "answers not a number": "def attack(n): return float('nan')",
    "is no Python": "def attack(n) return n",
    "is nothing": "",
}

#: The same task; these want time, memory, processes, or to stay.
_GREED = {
    "loops": "def attack(n):\n    while True: pass",
    "sleeps": "import time\ndef attack(n): time.sleep(600)",
    "never listens": "import time\ntime.sleep(600)",
    "forks without end": "import os\ndef attack(n):\n    while True:\n"
    "        try: os.fork()\n        except OSError: pass",
    "starts threads without end": "import threading, time\ndef attack(n):\n    while True:\n"
    "        threading.Thread(target=time.sleep, args=(600,)).start()",
    "takes all memory": "def attack(n):\n    kept = []\n    while True: kept.append(bytearray(1 << 24))",
    "takes memory in every child": "import os\ndef attack(n):\n    for _ in range(4): os.fork()\n    kept = []\n"
    "    while True:\n        try: kept.append(bytearray(1 << 24))\n        except MemoryError: pass",
    "maps all memory": "import mmap\ndef attack(n):\n    kept = []\n"
    "    while True: kept.append(mmap.mmap(-1, 1 << 28))",
    "floods its output": "import os\ndef attack(n):\n    while True: os.write(4, b'x' * 65536)",
    "prints without end": "def attack(n):\n    while True: print('x' * 65536)",
    "returns the world": "def attack(n): return 'x' * (200 << 20)",
    "overflows the stack": "import sys\nsys.setrecursionlimit(10 ** 9)\ndef attack(n): return attack(n) + 1",
    "fills descriptors": "import os\ndef attack(n):\n    while True: os.dup(0)",
    "crashes the interpreter": "import ctypes\ndef attack(n): ctypes.string_at(0)",
    "counts for ever": "def attack(n): return 9 ** 9 ** 9",
}

FORGING = tuple(Hostile(name, program) for name, program in _FORGED.items())
GREEDY = tuple(Hostile(name, program) for name, program in _GREED.items())

#: Leaves a process behind that would outlive any parent, under a name the test can look for.
DAEMON = """
import os, signal
def attack(n):
    if n == 3 and os.fork() == 0:
        os.setsid()
        for number in range(1, 32):
            if number not in (9, 19):
                signal.signal(number, signal.SIG_IGN)
        if os.fork() == 0:
            os.execv('/py/bin/python3', ['python3', '-S', '-c', 'import time; time.sleep(600)', '{mark}'])
        os._exit(0)
    return n * n
"""

#: How many MiB one process can hold.
HOARDER = """
def attack():
    kept = []
    try:
        while True:
            kept.append(bytearray(1 << 20))
    except MemoryError:
        held = len(kept)
        kept.clear()
        return held
"""

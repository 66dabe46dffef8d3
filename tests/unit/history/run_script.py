"""As a child: runs the Python that stands before a NUL on standard input, which finds the rest there."""

import io
import sys

if __name__ == "__main__":
    script, _, rest = sys.stdin.read().partition("\0")
    sys.stdin = io.StringIO(rest)
    exec(script)  # noqa: S102 (a test's own)

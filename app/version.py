"""Which Understudy this is, by pyproject.toml: it is run from its checkout, so no package's metadata tells."""

import tomllib
from functools import cache
from pathlib import Path

from app.domain.errors import UserError

_FILE = Path(__file__).parents[1] / "pyproject.toml"


@cache
def read_version(file: Path = _FILE) -> str:
    """Such as 0.1.0.

    Raises:
        UserError: where the file did not come along.
    """
    try:
        return str(tomllib.loads(file.read_text(encoding="utf-8"))["project"]["version"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, KeyError) as error:
        raise UserError(
            f"expected the version of Understudy in {file}, could not read it ({type(error).__name__}); "
            "take the whole checkout, or the image as it is built"
        ) from None

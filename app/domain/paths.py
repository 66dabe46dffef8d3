"""Files that no reviewer reads: why a path is left out of reviews and of what is learned."""

import re
import unicodedata

_LOCK_FILES = frozenset(
    {
        "bun.lock",
        "bun.lockb",
        "cargo.lock",
        "composer.lock",
        "deno.lock",
        "flake.lock",
        "gemfile.lock",
        "go.sum",
        "go.work.sum",
        "gradle.lockfile",
        "mix.lock",
        "npm-shrinkwrap.json",
        "package-lock.json",
        "package.resolved",
        "pdm.lock",
        "pipfile.lock",
        "pnpm-lock.yaml",
        "podfile.lock",
        "poetry.lock",
        "pubspec.lock",
        "uv.lock",
        "yarn.lock",
    }
)
_VENDORED = frozenset(
    {
        ".venv",
        ".yarn",
        "Carthage",
        "Godeps",
        "Pods",
        "bower_components",
        "dist",
        "node_modules",
        "site-packages",
        "third_party",
        "thirdparty",
        "third-party",
        "vendor",
    }
)
_GENERATED = re.compile(
    r"(_pb2(_grpc)?\.pyi?|\.pb\.(go|cc|h|gw\.go)|\.pb\.validate\.go|[._]generated\.\w+|\.g\.(dart|cs)|\.g\.i\.cs"
    r"|\.freezed\.dart|\.designer\.(cs|vb)|^zz_generated\..+|_easyjson\.go|outerclass\.java|\.snap)$",
    re.IGNORECASE,
)
_MINIFIED = re.compile(r"\.min\.(js|css)$|\.map$", re.IGNORECASE)
_NOT_TEXT = re.compile(
    r"\.(png|jpe?g|gif|webp|ico|svg|pdf|zip|gz|tar|jar|class|so|dll|exe|woff2?|ttf|mp[34]|bin|parquet|onnx|safetensors"
    r"|db|sqlite)$",
    re.IGNORECASE,
)


def decide_unread(path: str) -> str | None:
    """The reason a path is not read, as one word, or None when it is read like any other."""
    *folders, name = path.split("/")
    if name.lower() in _LOCK_FILES:
        return "lock_file"
    if _VENDORED.intersection(folders):
        return "vendored"
    if _MINIFIED.search(name):
        return "minified"
    if _GENERATED.search(name):
        return "generated"
    return "binary" if _NOT_TEXT.search(name) else None


def render_path(path: str) -> str:
    """The path on one line: without control, format and line-ending characters, which git lets a name hold."""
    return "".join(char for char in path if unicodedata.category(char)[0] != "C" and char not in "\u2028\u2029")

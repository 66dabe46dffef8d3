"""What the candidates for a store cost, and whether they find the same.

`python -m tests.benchmarks.retrieval.stores --mirror REPOSITORY.git [--pieces 10000] [--beside FOLDER]`

The pieces are the documentation of a real repository's newest commit, repeated with changed names up to `--pieces`; the
questions are the code of its first functions with their docstrings taken out, and what should be found is that
docstring (recall@3). Dense vectors are the same for all. Candidates that are no part of this project are looked for in
`--beside`, the `site-packages` of an environment that holds lancedb, tantivy and usearch; what is not there is left
out, and said to be.

    rows     the rows of us_reference and us_vector in SQLite, ranked in memory (what ships)
    fts5     SQLite's own full text and its bm25, vectors by numpy, ranks fused
    lancedb  its full text and vectors, ranks fused by its own hybrid query
    tantivy  tantivy's full text and usearch's vectors, ranks fused

Seconds are those of a processor core, so that what else the machine does does not count.
"""

import argparse
import sqlite3
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from app.domain.references import Reference, ReferenceKind, text_hash
from app.github.git import read_git
from app.history.blobs import open_blobs
from app.history.docstrings import parse_docstrings
from app.history.indexing import list_contents, plan_index, read_contents
from app.history.languages import load_language
from app.inference.embeddings import embed_static
from app.review.retrieval import Asked, Index, Piece, split_names
from app.store.database import open_engine, reading, writing
from app.store.migrate import migrate
from app.store.references import (
    Library,
    load_vectors,
    save_indexed_files,
    save_references,
    save_vectors,
    select_references,
)

Vectors = NDArray[np.float32]
#: Positions of pieces, the likeliest first.
Ask = Callable[[str, Vectors], list[int]]
FOUND = 3
QUESTIONS = 100
_FUSION = 60
_DEEP = 100


class Set(NamedTuple):
    pieces: list[Reference]
    vectors: Vectors
    questions: list[str]
    wanted: Vectors
    #: for each question the position of its docstring
    answers: list[int]


def read_set(mirror: Path, most: int) -> Set:
    began = time.process_time()
    head = read_git(mirror, "rev-parse", "HEAD").strip()
    plan = plan_index(list_contents(mirror, head), set())
    read = list(read_contents(mirror, plan.unread, repository="o/r", room=most, permit=lambda _: True, seconds=3_600))
    found = [piece for one in read for piece in one.found]
    _say(f"{len(plan.files)} files, {len(found)} pieces read in {time.process_time() - began:.1f} s of a core")
    code = _read_code(mirror, plan.unread)
    pieces = [
        found[at % len(found)].model_copy(update={"text": f"{found[at % len(found)].text}{_mark(at // len(found))}"})
        for at in range(most)
    ]
    places = {(one.path, one.name): at for at, one in reversed(list(enumerate(found)))}
    asked = [(places[key], text) for key, text in code.items() if key in places][: QUESTIONS * 20 : 20]
    questions = [text for _, text in asked]
    vectors = embed_static([one.text for one in pieces])
    return Set(pieces, vectors, questions, embed_static(questions), [at for at, _ in asked])


def _mark(copy: int) -> str:
    return f" copy{copy}" if copy else ""


def _read_code(mirror: Path, unread: dict[str, str]) -> dict[tuple[str, str], str]:
    """Path and name → the function without its docstring and its own name."""
    code = {}
    with open_blobs(mirror) as read_blob:
        for content, path in unread.items():
            reader, _, blob = content.partition(":")
            if reader in ("markdown", "rst"):
                continue
            for told in parse_docstrings(read_blob(blob), load_language(reader)):
                own = told.name.rpartition(".")[2]
                code[path, told.name] = told.code.replace(own, "it")
    return code


def make_rows(given: Set, folder: Path) -> Ask:
    url = f"sqlite:///{folder / 'rows.db'}"
    migrate(url)
    engine, library = open_engine(url), Library(1, 2, "o/r")
    with writing(engine) as session:
        save_references(session, library, "x:1", given.pieces)
        save_indexed_files(session, library, {"x": "x:1"})
        hashes = {text_hash(one.text): row for one, row in zip(given.pieces, given.vectors, strict=True)}
        save_vectors(session, 1, "m", hashes)

    began = time.process_time()
    with reading(engine) as session:
        pieces = select_references(session, library)
        known = load_vectors(session, 1, "m", [one.text for one in pieces])
    vectors = np.stack([known[text_hash(one.text)] for one in pieces])
    index = Index([Piece(code=f"{one.path} {one.name}", words=one.text) for one in pieces], vectors)
    index.rank(Asked(code="warm up"))
    _say(f"{'':8} of which once per review, before its first question: {time.process_time() - began:.2f} s")
    return lambda text, vector: [one.at for one in index.rank(Asked(code=text), vector)[:FOUND]]


def make_fts5(given: Set, folder: Path) -> Ask:
    database = sqlite3.connect(folder / "fts5.db")
    database.execute("create virtual table piece using fts5(words)")
    database.execute("create table vector (id integer primary key, vector blob)")
    texts = ((at + 1, " ".join(split_names(_text(one)))) for at, one in enumerate(given.pieces))
    database.executemany("insert into piece(rowid, words) values (?, ?)", texts)
    blobs = ((at + 1, row.astype("<f2").tobytes()) for at, row in enumerate(given.vectors))
    database.executemany("insert into vector values (?, ?)", blobs)
    database.commit()
    query = "select rowid from piece where piece match ? order by rank limit ?"

    def ask(text: str, vector: Vectors) -> list[int]:
        words = " OR ".join(f'"{word}"' for word in dict.fromkeys(split_names(text)))
        lexical = [row[0] - 1 for row in database.execute(query, (words, _DEEP))]
        return _fuse(lexical, list(np.argsort(-(given.vectors @ vector), kind="stable")[:_DEEP]))

    return ask


def make_tantivy(given: Set, folder: Path) -> Ask:
    tantivy, usearch = import_module("tantivy"), import_module("usearch.index")
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("at", stored=True)
    builder.add_text_field("words", tokenizer_name="whitespace")
    (folder / "tantivy").mkdir()
    texts = tantivy.Index(builder.build(), path=str(folder / "tantivy"))
    writer = texts.writer()
    for at, one in enumerate(given.pieces):
        writer.add_document(tantivy.Document(at=at, words=" ".join(split_names(_text(one)))))
    writer.commit()
    texts.reload()
    near = usearch.Index(ndim=given.vectors.shape[1], metric="cos", dtype="f16")
    near.add(np.arange(len(given.vectors)), given.vectors)
    near.save(str(folder / "tantivy" / "vectors"))
    searcher = texts.searcher()

    def ask(text: str, vector: Vectors) -> list[int]:
        query = texts.parse_query(" ".join(dict.fromkeys(split_names(text))), ["words"])
        lexical = [searcher.doc(place)["at"][0] for _, place in searcher.search(query, _DEEP).hits]
        return _fuse(lexical, [int(key) for key in near.search(vector, _DEEP).keys])

    return ask


def make_lancedb(given: Set, folder: Path) -> Ask:
    lancedb = import_module("lancedb")
    rows = [
        {"at": at, "words": " ".join(split_names(_text(one))), "vector": row}
        for at, (one, row) in enumerate(zip(given.pieces, given.vectors, strict=True))
    ]
    table = lancedb.connect(str(folder / "lance")).create_table("piece", rows)
    table.create_fts_index("words", base_tokenizer="whitespace")

    def ask(text: str, vector: Vectors) -> list[int]:
        words = " ".join(dict.fromkeys(split_names(text)))
        found = table.search(query_type="hybrid").vector(vector).text(words).limit(FOUND).to_list()
        return [int(row["at"]) for row in found]

    return ask


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def _text(one: Reference) -> str:
    return f"{one.path} {one.name}\n{one.text}"


def _fuse(*ranked: Sequence[int]) -> list[int]:
    """Reciprocal ranks (Cormack et al. 2009, k = 60)."""
    scores: dict[int, float] = {}
    for one in ranked:
        for rank, at in enumerate(one):
            scores[int(at)] = scores.get(int(at), 0) + 1 / (_FUSION + 1 + rank)
    return sorted(scores, key=lambda at: -scores[at])[:FOUND]


def measure(name: str, make: Callable[[Set, Path], Ask], given: Set) -> None:
    with tempfile.TemporaryDirectory() as folder:
        began = time.process_time()
        try:
            ask = make(given, Path(folder))
        except ModuleNotFoundError as error:
            _say(f"{name:8} left out: {error}")
            return
        made, asked = time.process_time() - began, list[float]()
        hits = 0
        for text, vector, answer in zip(given.questions, given.wanted, given.answers, strict=True):
            began = time.process_time()
            hits += any(_is_same(given.pieces[at], given.pieces[answer]) for at in ask(text, vector))
            asked.append(time.process_time() - began)
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        _say(
            f"{name:8} made in {made:.1f} s, {size / 2**20:.0f} MiB, a question {np.median(asked) * 1e3:.0f} ms "
            f"(95 %: {np.quantile(asked, 0.95) * 1e3:.0f}), recall@3 {hits / len(given.questions):.2f}"
        )


def _is_same(found: Reference, wanted: Reference) -> bool:
    return (found.path, found.name) == (wanted.path, wanted.name)


def main() -> None:
    parser = argparse.ArgumentParser(description="Stores for retrieval, compared.")
    parser.add_argument("--mirror", type=Path, required=True)
    parser.add_argument("--pieces", type=int, default=10_000)
    parser.add_argument("--beside", type=Path)
    arguments = parser.parse_args()
    if arguments.beside is not None:
        sys.path.append(str(arguments.beside))
    given = read_set(arguments.mirror, arguments.pieces)
    kinds = {kind.value: sum(one.kind is kind for one in given.pieces) for kind in ReferenceKind}
    _say(f"{len(given.pieces)} pieces {kinds}, {len(given.questions)} questions")
    makers: dict[str, Any] = {"rows": make_rows, "fts5": make_fts5, "tantivy": make_tantivy, "lancedb": make_lancedb}
    for name, make in makers.items():
        measure(name, make, given)


if __name__ == "__main__":
    main()

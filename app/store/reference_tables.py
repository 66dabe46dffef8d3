"""Tables of what retrieval looks things up in: documentation by its place and content, and texts as vectors."""

from typing import Any, ClassVar

from sqlalchemy import LargeBinary, Text
from sqlmodel import Field, SQLModel

from app.store.columns import BIG, Json


class ReferenceFileRow(SQLModel, table=True):
    """A file of the default branch whose documentation was read. `content` is `<reader>:<blob>`: a file that moves or
    is there twice is read once."""

    __tablename__: ClassVar[str] = "us_reference_file"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository: str
    path: str = Field(primary_key=True, sa_type=Text)
    content: str


class ReferenceRow(SQLModel, table=True):
    """A piece of documentation, by what it was read from; `payload` is a Reference, whose path is that of the file it
    was first read in."""

    __tablename__: ClassVar[str] = "us_reference"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    repository: str
    content: str = Field(primary_key=True)
    position: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    payload: dict[str, Any] = Field(sa_type=Json)


class VectorRow(SQLModel, table=True):
    """A text as a vector of little-endian float16, kept so that it is made once. A cache: it may go at any time, and
    goes whole with an erasure."""

    __tablename__: ClassVar[str] = "us_vector"

    installation_id: int = Field(primary_key=True, sa_type=BIG, sa_column_kwargs={"autoincrement": False})
    model: str = Field(primary_key=True)
    text_hash: str = Field(primary_key=True)
    vector: bytes = Field(sa_type=LargeBinary)

"""Keeping deliveries: those that come at the same time share one transaction, and with it one wait for the disk."""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import sqlalchemy as sa

from app.store.acknowledging import acknowledging
from app.store.database import writing
from app.store.deliveries import NewDelivery, save_deliveries

#: Of one transaction, so that no acknowledgement waits for hundreds of others.
_TOGETHER = 64


class _Waiting(NamedTuple):
    row: NewDelivery
    #: whether the row was new, once that is durable
    answer: "asyncio.Future[bool]"


class Recorder:
    """Commits what came while the commit before was under way (group commit). For one event loop."""

    def __init__(self, database: Callable[[], sa.Engine], stored: Callable[[], None]) -> None:
        """`stored` is told after each commit that holds something new."""
        self._database = database
        self._stored = stored
        self._waiting: list[_Waiting] = []
        self._committing: asyncio.Task[None] | None = None

    async def keep(self, row: NewDelivery) -> bool:
        """True once the row is durable, False if its GUID was known, which changes nothing.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the row was not stored.
        """
        answer: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(row, answer))
        if self._committing is None or self._committing.done():
            self._committing = asyncio.create_task(self._commit())
        with acknowledging():
            return await answer

    async def _commit(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_TOGETHER], self._waiting[_TOGETHER:]
            try:
                new = await asyncio.to_thread(self._save, [one.row for one in batch])
            except sa.exc.SQLAlchemyError as error:
                await self._apart(batch, error)
                continue
            _answer(batch, new)

    async def _apart(self, batch: list[_Waiting], error: sa.exc.SQLAlchemyError) -> None:
        """One row that the database refuses must not take its neighbours along."""
        if len(batch) == 1:
            _fail(batch[0], error)
            return
        for one in batch:
            try:
                _answer([one], await asyncio.to_thread(self._save, [one.row]))
            except sa.exc.SQLAlchemyError as own:
                _fail(one, own)

    def _save(self, rows: list[NewDelivery]) -> set[str]:
        with writing(self._database()) as session:
            new = save_deliveries(session, rows)
        if new:
            self._stored()
        return new


def _answer(batch: list[_Waiting], new: set[str]) -> None:
    left = set(new)
    for one in batch:
        if not one.answer.done():  # its sender may have gone
            one.answer.set_result(one.row.guid in left)
        left.discard(one.row.guid)  # the second of two equal ones is a duplicate


def _fail(one: _Waiting, error: sa.exc.SQLAlchemyError) -> None:
    if not one.answer.done():
        one.answer.set_exception(error)

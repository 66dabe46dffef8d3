"""The durable hearing of a command: eyes at once, then what it asks for, then an answer.

Two workflows: the first waits behind nothing, the second in its installation's own queue, one at a time. Each reads the
comment and its author's permission anew, for both may have changed. Both may run again at any point: a reaction is one
however often it is asked for, effects are found in the database, an answer by its hidden marker.
"""

import asyncio

from sqlmodel import Session

from app.curation.decision import decide_refusal
from app.curation.people import People
from app.curation.recording import Scope, record_refusal
from app.curation.words import is_ours
from app.domain.commands import Command, parse_command
from app.domain.onboarding import Work
from app.github.said import Said
from app.store.database import writing
from app.workflows.consent import may
from app.workflows.context import services
from app.workflows.engine import current_workflow_id, enqueue_in_transaction, step, transaction, workflow
from app.workflows.orders import Order, carry_out
from app.workflows.runs import Queue


@workflow("hear")
async def hear(installation_id: int, node_id: str) -> bool:
    """True when the comment is a command of somebody who may give it."""
    if not await acknowledge(installation_id, node_id):
        return False
    await _enqueue_obedience(installation_id, node_id)
    return True


@workflow("obey")
async def obey(installation_id: int, node_id: str) -> str:
    """Do what the comment says now. Returns the verb, or `nothing`."""
    return await carry_out_and_answer(installation_id, node_id)


@step()
async def acknowledge(installation_id: int, node_id: str) -> bool:
    """React with eyes to a command of somebody with write access; others get no sign at all."""
    order = await _read_order(installation_id, node_id)
    if order is None or not await may(Work.ACT, installation_id, order.said.repository):
        return False
    if not order.actor.may_decide:
        await asyncio.to_thread(_note_refusal, order)
        return False
    await services().github(installation_id).add_reaction(order.said, "eyes")
    return True


@transaction
def _enqueue_obedience(session: Session, installation_id: int, node_id: str) -> bool:
    workflow_id = f"obey:{current_workflow_id()}"
    enqueue_in_transaction(
        session, "obey", workflow_id, installation_id, node_id, queue=Queue.GITHUB, partition=installation_id
    )
    return True


@step()
async def carry_out_and_answer(installation_id: int, node_id: str) -> str:
    order = await _read_order(installation_id, node_id)
    if order is None or not order.actor.may_decide:
        return "nothing"
    answer = await carry_out(order)
    if answer is not None:
        await _answer(order, answer)
    return order.command.verb.value


async def _answer(order: Order, text: str) -> None:
    github = services().github(order.installation_id)
    known = await github.list_answers(order.said, services().host_of(order.installation_id).login)
    if not any(order.marker in body for body in known):
        await github.answer(order.said, f"{text}\n\n{order.marker}")


async def _read_order(installation_id: int, node_id: str) -> Order | None:
    """The command that a comment is now, and what its author may do now."""
    github = services().github(installation_id)
    said = await github.fetch_said(node_id)
    command = None if said is None else select_command(said, services().host_of(installation_id).app_slug)
    if said is None or command is None:
        return None
    people = People(github, said.repository)
    await people.ask([(said.author, said.association)])
    return Order(installation_id=installation_id, said=said, command=command, actor=people.actor(said.author))


def select_command(said: Said, app_slug: str) -> Command | None:
    """The command of a person; None for machines, ourselves, what is hidden, and what another put into the comment."""
    if said.author.kind != "User" or is_ours(said.author, app_slug) or said.is_minimized or said.editor is not None:
        return None
    return parse_command(said.body)


def _note_refusal(order: Order) -> None:
    """Under the key that curation would note the same act with."""
    said = order.said
    source = f"comment:{said.comment_id}@{said.stands_since.isoformat()}"
    refusal = decide_refusal(source, order.actor, f"said {order.command.verb}")
    scope = Scope(installation_id=order.installation_id, repository=said.repository, number=said.number)
    if refusal is not None:
        with writing(services().database) as session:
            record_refusal(session, scope, refusal)

"""`python -m app setup`."""

import sys
from typing import Annotated

import typer

from app.domain.errors import UserError
from app.domain.explaining import show_given

_LARGEST_PORT = 65_535


def _parse_port(given: str | int) -> int:
    """`given` is a number where it is the default."""
    text = str(given)
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= len(str(_LARGEST_PORT)) else -1
    if not 0 <= port <= _LARGEST_PORT:
        raise UserError(
            f"expected in --port a number from 0 to {_LARGEST_PORT}{show_given(given)}; leave it out to take a free one"
        )
    return port


def setup(
    port: Annotated[
        int, typer.Option(help="Of the page, on 127.0.0.1; 0 takes a free one.", parser=_parse_port, metavar="PORT")
    ] = 0,
) -> None:
    """Create the GitHub App on a page in your browser, and write the settings that the service reads."""
    import uvicorn

    from app.settings import env_file
    from app.setup.program import create_setup_app
    from app.setup.remaining import render_steps, render_told
    from app.setup.session import Session
    from app.web.listening import reserve_address

    session = Session(env_file())
    with reserve_address("127.0.0.1", port) as reserved:
        address = f"http://127.0.0.1:{reserved.getsockname()[1]}"
        app = create_setup_app(session, address=address, on_done=lambda: setattr(server, "should_exit", True))
        server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_level="warning"))
        reserved.listen()  # who is quicker than the server waits for it
        typer.echo(
            f"Open this page in your browser, and tell its address to nobody:\n\n  {address}/{session.secret}/\n"
        )
        sys.stdout.flush()
        try:
            server.run(sockets=[reserved])
        except KeyboardInterrupt:  # what uvicorn raises again at its end
            typer.echo("ended before the App was stored; begin again whenever you like", err=True)
    if session.choice is None or session.made is None or session.stored is None:
        raise typer.Exit(1)
    typer.echo(f"{session.made.name} is made. What is left to do:\n")
    typer.echo(render_told(render_steps(session.choice, session.made, session.stored)))

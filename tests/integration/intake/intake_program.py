"""`python -m app serve`, but that only intake's queue is worked on: nobody is there for the work that deliveries ask
for, which would go to GitHub."""

from app.main import boot, create_app, shutdown
from app.settings import load_settings
from app.web.listening import answer, reserve_address
from app.workflows.runs import Queue


def main() -> None:
    settings = load_settings()
    with reserve_address(settings.host, settings.port) as address:
        boot(settings, queues=(Queue.INTAKE,))
        try:
            answer(create_app(settings, booted=True), address, connections=settings.connections)
        finally:
            shutdown()


if __name__ == "__main__":
    main()

"""With whose credentials a live repository is read, and where its recording is put."""

import asyncio
import re
from pathlib import Path

from app.domain.errors import UserError
from app.github.reading import AppAccess, ReadingClient, TokenAccess
from app.rehearsal.console import Narrator
from app.rehearsal.recording import Recorded, record_live
from app.rehearsal.work_folder import claim_work
from app.settings import ReadingSettings, load_reading_settings, read_private_key

_NAME = re.compile(r"[\w-][\w.-]*/[\w.-]*[\w-][\w.-]*")


def record(repository: str, folder: Path, newest: int, story: Narrator) -> tuple[str, Recorded]:
    """Read a repository with the credentials of this process's environment. Returns the host, and the recording.

    Raises:
        UserError: for a name that is none, for missing credentials, and as `record_live`.
        RetryLater: as `record_live`.
    """
    if _NAME.fullmatch(repository) is None:
        raise UserError(f"expected --live to name a repository as OWNER/NAME, got {repository!r}")
    settings = load_reading_settings()
    client = ReadingClient(git_url=settings.github_git_url, access=choose_access(settings, repository))
    claim_work(folder)
    story.open("Reading", f"Up to {newest} merged pull requests of {repository} on {client.host}; nothing is written.")
    found = asyncio.run(record_live(client, repository, folder.absolute(), newest, story))
    story.say(f"recorded in {folder}; --archive and --mirror play it again without GitHub")
    return client.host, found


def choose_access(settings: ReadingSettings, repository: str) -> TokenAccess | AppAccess:
    """A person's token before the App's: it needs no installation.

    Raises:
        UserError: when the environment has neither.
    """
    if settings.github_token is not None:
        token = settings.github_token.get_secret_value()
        return TokenAccess(api_url=settings.github_api_url, token=token, ca_file=settings.ca_file)
    if settings.app_id is not None and settings.private_key_file is not None:
        key = read_private_key(settings.private_key_file)
        return AppAccess(
            api_url=settings.github_api_url,
            app_id=settings.app_id,
            private_key_pem=key,
            repository=repository,
            ca_file=settings.ca_file,
        )
    raise UserError(
        "expected UNDERSTUDY_GITHUB_TOKEN (may read metadata, contents and pull requests), or UNDERSTUDY_APP_ID and "
        "UNDERSTUDY_PRIVATE_KEY_FILE of an App that is installed there; set one of the two"
    )

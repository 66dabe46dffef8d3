"""What was found of one of several GitHubs, by its name and in the words of the file that lists it. Pure."""

from pathlib import Path

from app.doctor.checked import Checked
from app.domain.tenants import Host

#: What a plain setting is called in the file.
_IN_FILE = {
    "UNDERSTUDY_GITHUB_API_URL": "`api_url`",
    "UNDERSTUDY_PRIVATE_KEY_FILE": "`private_key_file`",
    "UNDERSTUDY_APP_ID": "`app_id`",
    "UNDERSTUDY_APP_SLUG=": "`app_slug` to ",
    "UNDERSTUDY_WEBHOOK_SECRETS": "what a file of `webhook_secret_files` holds",
}


def name_host(found: Checked, host: Host, listed_in: Path | None) -> Checked:
    """`listed_in`: the file of UNDERSTUDY_HOSTS; None where there is one GitHub, which needs no name."""
    if listed_in is None:
        return found
    cure = found.cure
    if host.number and any(plain in cure for plain in _IN_FILE):
        for plain, there in _IN_FILE.items():
            cure = cure.replace(plain, there)
        cure = f"{cure} It is number {host.number} in {listed_in}."
    return found.model_copy(update={"name": f"{found.name} ({host.name})", "cure": cure})

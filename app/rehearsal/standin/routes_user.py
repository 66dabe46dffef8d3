"""What a person's own token shows: who they are, and the App's installations that they reach."""

from app.rehearsal.standin.answers import Answer, Listing, not_found
from app.rehearsal.standin.render import Json
from app.rehearsal.standin.render.people import user_json
from app.rehearsal.standin.routing import Call, Route
from app.rehearsal.standin.state import User, stamp


def _user(call: Call) -> Answer:
    return Answer(200, _public_user(call, _person(call)))


def _person(call: Call) -> User:
    if call.person is None:
        raise not_found()
    return call.person


def _public_user(call: Call, user: User) -> Json:
    """Of the two forms GitHub has, the one without what only the person's own e-mail scope shows."""
    born = stamp(call.site.installed_at)
    return user_json(call.site.base_url, user) | {
        "name": user.login,
        "company": None,
        "blog": "",
        "location": None,
        "email": None,
        "hireable": None,
        "bio": None,
        "public_repos": 0,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": born,
        "updated_at": born,
    }


def _installations(call: Call) -> Listing:
    """Those with a repository that the person may read; every account may read a public one."""
    person, site = _person(call), call.site
    reached = any(
        person.login in repository.collaborators or repository.owner.login == person.login
        for repository in site.repositories.values()
        if repository.installed
    )
    shown = [site.installation_json()] if reached and not site.uninstalled else []
    return Listing(shown, key="installations")


ROUTES = (
    Route("GET", "/user", _user, asker="user"),
    Route("GET", "/user/installations", _installations, asker="user"),
)

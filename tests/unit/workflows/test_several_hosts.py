"""What is of one GitHub and what of another."""

import re
from pathlib import Path

import pytest
import sqlalchemy as sa

import app
from app.domain.errors import UserError
from app.domain.tenants import Host, Hosts, join_tenant
from app.store.database import open_engine, writing
from app.store.deliveries import save_installation
from app.store.migrate import migrate
from app.store.repositories import ensure_repository, select_repository_ids
from app.store.tables import InstallationRow
from app.workflows.erasing import is_elsewhere
from app.workflows.operating import check_renumbered

GHE = Host(2, "ghe.example", "reviews")
HOSTS = Hosts((Host(0, "github.com", "understudy"), GHE))
THERE = join_tenant(2, 7)


@pytest.mark.parametrize(
    ("workflow_id", "partition", "elsewhere"),
    [
        ("harvest:github.com:5:1:abc", "7", False),
        ("harvest:ghe.example:5:1:abc", str(THERE), True),
        ("curate:no-host-in-it", str(THERE), True),
        ("delivery:github.com:guid", None, False),
        ("delivery:ghe.example:guid", None, True),
        ("hear:ghe.example:7:IC_1:key", None, True),
        ("learn:7:moment", None, False),
        (f"learn:{THERE}:moment", None, True),
        ("retention", None, False),
    ],
)
def test_whose_a_workflow_is(workflow_id: str, partition: str | None, elsewhere: bool) -> None:
    assert is_elsewhere(workflow_id, partition, 7, HOSTS) == elsewhere


def test_a_repository_of_the_same_id_elsewhere_keeps_no_mirror_alive(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    with writing(database) as session:
        for tenant in (7, 8, THERE):
            ensure_repository(session, tenant, 5, "acme/store")
        ensure_repository(session, THERE, 6, "acme/other")
        assert select_repository_ids(session, 7) == set()  # 8 is of the same GitHub and has it, too
        assert select_repository_ids(session, THERE) == {5, 6}
    database.dispose()


def test_a_number_that_was_another_servers_is_refused(tmp_path: Path) -> None:
    database = migrated(tmp_path)
    with writing(database) as session:
        save_installation(session, InstallationRow(id=THERE, host="old.example", account="acme"))
        save_installation(session, InstallationRow(id=7, host="renamed.example", account="acme"))
        gone = InstallationRow(id=THERE + 1, host="gone.example", account="acme", state="suspended")
        save_installation(session, gone)
    with pytest.raises(UserError, match=r"GitHub of number 2 to be \w+\.example, .* got ghe\.example; give"):
        check_renumbered(database, [GHE])
    with pytest.raises(UserError, match=r"number 0 to be renamed\.example, .* UNDERSTUDY_GITHUB_WAS=renamed\.example"):
        check_renumbered(database, [Host(0, "new.example", "reviews")])
    check_renumbered(database, [Host(0, "new.example", "reviews")], was="renamed.example")
    with pytest.raises(UserError, match=r"to be gone\.example"):  # suspended is not gone
        check_renumbered(database, [Host(2, "old.example", "reviews"), Host(3, "ghe.example", "reviews")])
    database.dispose()


def migrated(folder: Path) -> sa.Engine:
    url = f"sqlite:///{folder / 'u.db'}"
    migrate(url)
    return open_engine(url)


def test_nobody_asks_for_the_first_host_where_a_tenants_is_meant() -> None:
    """`services().host` is number 0's: with it a second GitHub's ids and mirrors would be the first one's."""
    asked = re.compile(r"services\(\)\.(host|app_slug)\b")
    found = [path.name for path in Path(app.__file__).parent.rglob("*.py") if asked.search(path.read_text())]
    assert found == []

"""The machine and its files. Pure."""

from pathlib import Path

from app.doctor.checked import Checked, fail, fine, warn
from app.domain.base import Record
from app.domain.errors import UserError
from app.domain.estimates import gib
from app.store.database import check_sqlite_version

#: On which SQLite's write-ahead log loses data: its readers share memory, which machines do not.
NETWORK_FILE_SYSTEMS = frozenset(
    {"nfs", "nfs4", "cifs", "smb3", "smbfs", "ncpfs", "afs", "ceph", "glusterfs", "lustre", "fuse.sshfs", "fuse.s3fs"}
    | {"fuse.glusterfs", "fuse.rclone", "fuse.cephfs", "beegfs", "gpfs"}
)
LEAST_POSTGRESQL = 13
LEAST_FREE, LITTLE_FREE = 1 * 2**30, 10 * 2**30
_OTHERS = 0o077
_NAME_THE_KEY = "Name the App's private key in UNDERSTUDY_PRIVATE_KEY_FILE, or run `.venv/bin/python -m app setup`."


class FileProbe(Record):
    """`mode`: permission bits, None where there is no such file. `is_ours`: it belongs to who runs this."""

    path: str
    mode: int | None
    is_ours: bool = True


def check_env_file(found: FileProbe) -> Checked:
    name = "environment file"
    if found.mode is None:
        return fine(name, f"none at {found.path}; settings come from the environment")
    return _check_secret(name, found)


def check_key_file(found: FileProbe) -> Checked:
    name = "private key's file"
    if found.mode is None:
        return fail(name, f"there is none at {found.path}", _NAME_THE_KEY)
    return _check_secret(name, found)


def refuse_key(problem: str) -> Checked:
    """`problem`: why what the file holds is no key."""
    return fail("private key", problem, _NAME_THE_KEY)


def _check_secret(name: str, found: FileProbe) -> Checked:
    if found.mode is not None and found.mode & _OTHERS:
        cure = f"chmod 600 {found.path}; if others had a look, change the secrets in it."
        return fail(name, f"{found.path} can be read by others ({found.mode:03o})", cure)
    return fine(name, f"{found.path} is its owner's alone")


def check_data_folder(found: FileProbe, *, writable: bool) -> Checked:
    name = "data folder"
    if not writable:
        cure = f"Give it to the service's user (`chown`), or name another in UNDERSTUDY_DATA. It is {found.path}."
        return fail(name, f"{found.path} can't be written", cure)
    if found.mode is not None and found.mode & 0o007:
        cure = f"chmod 750 {found.path}"
        return warn(
            name, f"{found.path} is open to every user of this machine ({found.mode:03o}): code lies there", cure
        )
    return fine(name, f"{found.path} can be written")


def check_database_file(found: FileProbe, folder: FileProbe) -> Checked:
    """`folder`: the one that it lies in, which may keep others from it."""
    name = "database file"
    if found.mode is None:
        return fine(name, f"none at {found.path} yet; it is made for its owner alone")
    if found.mode & 0o006 and (folder.mode or 0) & 0o001:
        cure = f"chmod 600 {found.path}*"
        told = (
            f"{found.path} is open to every user of this machine ({found.mode:03o}): code and words of people lie there"
        )
        return warn(name, told, cure)
    return fine(name, f"{found.path} is closed to others")


def check_disk(free: int, path: str) -> Checked:
    name, told = "disk", f"{gib(free)} free at {path}"
    cure = "Free some, lower UNDERSTUDY_RETENTION_DAYS, or move UNDERSTUDY_DATA."
    if free < LEAST_FREE:
        return fail(name, told, cure)
    return warn(name, f"{told}; mirrors and adapters grow", cure) if free < LITTLE_FREE else fine(name, told)


def check_sqlite(library: tuple[int, int, int], python: tuple[int, int], file_system: str, path: str) -> Checked:
    name, version = "SQLite", ".".join(map(str, library))
    try:
        check_sqlite_version(library, python)
    except UserError as error:
        return fail(name, str(error), "Use Python 3.11, a newer SQLite library, or PostgreSQL.")
    if file_system in NETWORK_FILE_SYSTEMS:
        cure = "Put it on a disk of this machine, or use PostgreSQL (UNDERSTUDY_DATABASE_URL)."
        return fail(name, f"{path} lies on {file_system}, a file system of a network: its log is not safe there", cure)
    return fine(name, f"{version}, {path} on {file_system or 'a local disk'}")


def check_postgresql(version: int) -> Checked:
    """`version` as the server numbers itself, such as 150004."""
    name, major = "PostgreSQL", version // 10_000
    if major < LEAST_POSTGRESQL:
        return fail(name, f"version {major}", f"Upgrade the server to {LEAST_POSTGRESQL} or newer.")
    return fine(name, f"version {major}")


def check_database(problem: str | None, refused: str | None = None) -> Checked:
    """`refused`: it opens, and yet the service would not start on it."""
    name = "database"
    if refused is not None:
        what, _, cure = refused.partition("; ")
        return fail(name, what, f"{cure[:1].upper()}{cure[1:]}.")
    if problem is not None:
        return fail(name, problem, "See UNDERSTUDY_DATABASE_URL, and that the server runs and lets this user in.")
    return fine(name, "opens")


def select_file_system(mounts: str, path: Path) -> str:
    """The kind of the mount that a path lies on, by the lines of /proc/mounts; "" where none is known."""
    best, kind = -1, ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        place = Path(fields[1].replace("\\040", " "))
        if path.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), fields[2]
    return kind


def check_version(ours: str, running: str | None, *, is_running: bool) -> Checked:
    """`running`: of the service; None of one that does not say, for it is older than that."""
    name = "version"
    if is_running and running != ours:
        told = f"{ours} here, but the service that runs is {running or 'an older one'}"
        return warn(name, told, "Restart the service, so that it is what was installed.")
    return fine(name, ours)


def check_port(host: str, port: int, *, is_ours: bool, is_taken: bool) -> Checked:
    name, place = "service", f"{host} port {port}"
    if is_ours:
        return fine(name, f"runs at {place}")
    if is_taken:
        cure = "Stop that program, or choose another UNDERSTUDY_PORT."
        return fail(name, f"another program has {place}", cure)
    return warn(name, f"does not run ({place} is free)", "Start it: `.venv/bin/python -m app serve`.")

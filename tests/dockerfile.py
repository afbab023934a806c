"""The Dockerfile as its instructions, for tests."""

import json
import re
import shlex
from pathlib import Path

import msgspec

TOP = Path(__file__).parents[1]
_CONTINUED = re.compile(r"\\\n\s*")


class Instruction(msgspec.Struct, frozen=True):
    """One instruction of a stage, its lines joined."""

    stage: str
    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """Its words, as a shell or JSON has them."""
        words: list[str] = json.loads(self.text) if self.text.startswith("[") else shlex.split(self.text)
        return words


def instructions(path: Path = TOP / "Dockerfile") -> list[Instruction]:
    """Read all instructions.  Those before the first stage are in the stage ``''``."""
    lines = [line for line in path.read_text().splitlines() if not line.lstrip().startswith("#")]
    found: list[Instruction] = []
    stage = ""
    for line in _CONTINUED.sub(" ", "\n".join(lines)).splitlines():
        if line.strip():
            name, _, text = line.strip().partition(" ")
            if name == "FROM":
                stage = text.rpartition(" AS ")[2]
            found.append(Instruction(stage, name, text.strip()))
    return found


def of(stage: str, *names: str) -> list[Instruction]:
    """Instructions of a stage with these names."""
    return [one for one in instructions() if one.stage == stage and one.name in names]


def environment(stage: str) -> dict[str, str]:
    """What ENV says there."""
    pairs = [word.partition("=") for one in of(stage, "ENV") for word in one.words]
    return {name: value for name, _, value in pairs}

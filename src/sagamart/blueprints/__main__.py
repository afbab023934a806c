"""`make docs`: write down what can be read off the code, into the repository that this runs in."""

import sys
from pathlib import Path

from sagamart.blueprints.writing import blueprints


def main() -> int:
    """Write everything, or, where a message would break, say so and write nothing."""
    drawn = blueprints(Path.cwd())
    for finding in drawn.broken:
        sys.stderr.write(f"{finding}\n")
    if drawn.broken:
        return 1
    for path in drawn.stale:
        sys.stdout.write(f"{path}\n")
    drawn.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Files of a command line that must not be the same."""

import os
from collections.abc import Mapping
from pathlib import Path

from porefail import files
from porefail.command_line.kinds import EITHER, FILE, FILES, FOLDER, INTO, NEW, PLACED
from porefail.errors import PorefailError


def require_apart(options: Mapping[str, object], kinds: Mapping[str, str]) -> None:
    """Refuse a file that is to be written and cannot be, is also read, or is named twice.

    options, kinds: value and kind of each option. Also through links. What is read is never
    written, in a folder either. Raises PorefailError.
    """

    def named(*wanted: str) -> list[tuple[str, str]]:
        return [
            (name, path)
            for name, value in options.items()
            if kinds[name] in wanted and value is not None
            for path in ([value] if isinstance(value, str) else value)
        ]

    read, written = named(FILE, FILES, PLACED), named(NEW)
    written += [pair for pair in named(EITHER) if not os.path.isdir(pair[1])]
    for name, path in (*read, *written, *named(INTO)):
        if not path:
            raise PorefailError(f"--{name} is empty, expected a path")
    for _, path in written:
        files.require_writable(path)
    for _, path in named(INTO):
        files.require_writable(os.path.join(path, "summary.txt"))
    for i, (name, path) in enumerate(written):
        for other, rival in (*read, *written[:i]):
            if files.same(path, rival):
                raise PorefailError(f"{path}: is both --{other} and --{name}: nothing is written")
    # Of a folder that is read, what lies in its folders: `study` writes beside them.
    within = [each for _, path in named(FOLDER) for each in Path(path).glob("*/**/*.csv")]
    files.never_write([*(path for _, path in read), *within])

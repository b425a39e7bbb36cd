"""What a parameter of a step is on the command line: `sites: Annotated[NewFile, "what is in it"]`.

The kind of an option is what --help shows in the place of its value, with what is done to the file.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

FILE, FILES, FOLDER = "FILE", "FILES", "FOLDER"  # are read; in FILES, NUMBERS, REALS one or more
NEW, INTO, EITHER = "FILE to write", "FOLDER to write into", "FILE|FOLDER"  # are written
NUMBER, NUMBERS, REAL, REALS = "NUMBER", "NUMBERS", "REAL", "REALS"
TEXT, JSON, FLAG = "NAME", "JSON", "given or not"
PLACED = "FILE|FOLDER, one or more, without an option"  # are read

File = Annotated[str | Path, FILE]
Files = Annotated[Sequence[str | Path], FILES]
Folder = Annotated[str | Path, FOLDER]
NewFile = Annotated[str | Path, NEW]
NewFolder = Annotated[str | Path, INTO]
NewFileOrFolder = Annotated[str | Path, EITHER]
Number = Annotated[int, NUMBER]
Numbers = Annotated[Sequence[int], NUMBERS]
Flag = Annotated[bool, FLAG]
Paths = Annotated[Sequence[str | Path], PLACED]
Real = Annotated[float, REAL]
Reals = Annotated[Sequence[float], REALS]
Name = Annotated[str, TEXT]
Settings = Annotated[Mapping, JSON, "settings of this step, as in config/schema.yaml"]

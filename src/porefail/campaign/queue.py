"""Finished realizations of a batch, kept one by one, so that they survive a killed job.

Beside a shard lies the folder `<shard>.parts/`: one file a realization while the batch is at work,
later `complete.h5`, a hard link to the shard: Snakemake deletes the output of a job that was killed
before it was recorded, and the link brings it back. Each file carries the fingerprint of what it
was made from; a file that does not fit is made again.
"""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from porefail import files, store

CLAIMS = "claims"
GLANCE = 0.2  # s that somebody may look whether a run is at work


class Parts:
    """The parts of the shard `output`. All ranks may share the folder; see each method."""

    def __init__(self, output: str | Path):
        self.output = Path(output)
        self.folder = Path(f"{output}.parts")
        self.complete = self.folder / "complete.h5"

    def part(self, realization: int) -> Path:
        """File of one realization."""
        return self.folder / f"{realization:05d}.h5"

    @contextmanager
    def alone(self, title: str) -> Iterator[None]:
        """Keep other runs of the same batch out; one that was killed keeps nobody out."""
        with files.writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            lock = os.open(self.folder / "lock", os.O_CREAT | os.O_RDWR, 0o666)
        try:
            if not _locked(lock, GLANCE):
                print(f"{title}: another run is at work on this batch, waiting for it", flush=True)
                fcntl.flock(lock, fcntl.LOCK_EX)
        except OSError:
            pass  # a file system without locks
        try:
            yield
        finally:
            os.close(lock)

    def fits(self, path: Path, fingerprint: str) -> bool:
        """Whether a file is whole, undamaged and made from the same things."""
        try:
            _, attributes = store.read(path)
        except store.StoreError:
            return False
        return attributes.get("fingerprint") == fingerprint

    def restore(self, fingerprint: str) -> bool:
        """Bring back a shard that was complete before; False if there is none that fits."""
        if not self.fits(self.complete, fingerprint):
            return False
        with files.replacing(self.output) as temporary:
            os.link(self.complete, temporary)
            os.utime(temporary)  # a link is as old as its file: the shard is newer than its input
        return True

    def at_work(self) -> bool:
        """Whether a run is at work on this batch, wherever the locks of the file system reach.

        Where the file system has no locks, claims of a killed run count as work.
        """
        try:
            lock = os.open(self.folder / "lock", os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError:
            return (self.folder / CLAIMS).is_dir()
        finally:
            os.close(lock)
        return False

    def finished(self) -> list[int]:
        """Numbers of the realizations that have a part."""
        return sorted(int(p.stem) for p in self.folder.glob("[0-9]*.h5") if p.stem.isdigit())

    def open_queue(self, pending: Sequence[int]) -> None:
        """Forget the claims of a run that was killed, and its parts that do not fit.

        pending: the realizations to be made. One rank calls this, before all others.
        """
        with files.writing(self.folder):
            for realization in pending:
                self.part(realization).unlink(missing_ok=True)
            shutil.rmtree(self.folder / CLAIMS, ignore_errors=True)
            (self.folder / CLAIMS).mkdir(parents=True)

    def claim(self, realization: int) -> bool:
        """Take a realization; True for the first that asks.

        A file that only one can create: unlike a counter in MPI memory it answers while the other
        ranks compute.
        """
        with files.writing(self.folder):
            try:
                os.close(os.open(self._claim(realization), os.O_CREAT | os.O_EXCL, 0o666))
            except FileExistsError:
                return False
        return True

    def settle(self, realization: int, status: int, seconds: float) -> None:
        """Note how a claimed realization ended and what it took, for `claimed`."""
        with files.writing(self.folder):
            self._claim(realization).write_text(f"{status} {seconds:.3f}")

    def claimed(self) -> dict[int, tuple[int, float] | None]:
        """What all teams have taken in this run: status and seconds, or None while at work.

        A claim that cannot be read just now (its run ends, a network file system is late) counts as
        at work.
        """
        found: dict[int, tuple[int, float] | None] = {}
        for path in (self.folder / CLAIMS).glob("[0-9]*"):
            if path.name.isdigit():
                found[int(path.name)] = None
                with suppress(OSError, ValueError):
                    status, seconds = path.read_text().split()
                    found[int(path.name)] = (int(status), float(seconds))
        return found

    def _claim(self, realization: int) -> Path:
        return self.folder / CLAIMS / f"{realization:05d}"

    def assemble(self, realizations: Sequence[int], attributes: dict) -> np.ndarray:
        """Join the parts to the shard, rows in the given order, and remove them.

        attributes: of the shard, its `fingerprint` included. Returns the statuses (n,).
        """
        rows = [store.read(self.part(realization))[0] for realization in realizations]
        datasets = {name: stack([row[name] for row in rows]) for name in rows[0]}
        store.write_atomically(self.output, datasets, attributes)
        with suppress(OSError):  # without hard links the parts stay
            self.complete.unlink(missing_ok=True)
            os.link(self.output, self.complete)
            for path in self.folder.glob("[0-9]*.h5"):
                path.unlink()
        shutil.rmtree(self.folder / CLAIMS, ignore_errors=True)
        return datasets["status"]


def _locked(lock: int, patience: float) -> bool:
    """Whether a lock could be had within some seconds: `at_work` holds it for a moment only."""
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.02)
        else:
            return True


def stack(rows: Sequence[np.ndarray], width: int = 0) -> np.ndarray:
    """Join arrays along axis 0; histories (1, steps) are padded with NaN to the longest.

    width: the least number of steps.
    """
    if rows[0].ndim != 2:
        return np.concatenate(rows)
    width = max(width, *(row.shape[1] for row in rows))
    return np.concatenate(
        [np.pad(row, ((0, 0), (0, width - row.shape[1])), constant_values=np.nan) for row in rows]
    )

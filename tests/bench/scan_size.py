"""Time and memory of a verdict against the number of voxels of a scan.

    python tests/bench/scan_size.py [--largest 1e9] > docs/results/data/scan_size.csv

The pores of realization 0 of config/paper.yaml, scanned with finer and finer voxels into a raw file
that is mapped, not read; each verdict is a process of its own. Memory is its largest, with pages of
the file that the system may drop again.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
from paper import specimens

from porefail.scans import phantom

VOXELS = (0.02, 0.0125, 0.008, 0.005, 0.0032, 0.00182)  # mm


def verdict(path: Path, shape: tuple[int, ...], voxel: float) -> dict:
    """Seconds and bytes of `porefail scan` on a raw file."""
    command = [sys.executable, "-m", "porefail", "scan", path, "--axis", "z", "--dtype", "uint16"]
    command += ["--voxel-size", f"{voxel * 1e3:.6g}um", "--output", path.parent / "verdict"]
    command += ["--shape", *shape]
    with subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL) as process:
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        sys.exit(f"{' '.join(map(str, command))}: ended with {process.returncode}")
    return {"cpu_s": used.ru_utime + used.ru_stime, "bytes": used.ru_maxrss * 1024}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--largest", type=float, default=1e9, help="voxels of a scan")
    options = parser.parse_args()
    (voxels,), spacing = specimens(1)
    table = []
    for voxel in VOXELS:
        scanner = phantom.Scanner(voxel=voxel)
        shape = phantom.size(voxels.shape, spacing, scanner)
        count = int(np.prod(shape))
        if count > options.largest:
            break
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "scan.raw"
            # x is fastest in the file, as in the scan's memory.
            phantom.scan(voxels, spacing, scanner).T.tofile(path)
            used = verdict(path, shape, voxel)
        print(json.dumps({"voxels": count, **used}), file=sys.stderr, flush=True)
        table.append(
            {
                "voxel_um": voxel * 1e3,
                "scan": " x ".join(map(str, shape)),
                "million_voxels": count / 1e6,
                "cpu_s": used["cpu_s"],
                "us_a_voxel": used["cpu_s"] / count * 1e6,
                "gb": used["bytes"] / 1e9,
                "bytes_a_voxel": used["bytes"] / count,
            }
        )
    pd.DataFrame(table).to_csv(sys.stdout, index=False, float_format="%.3g")


if __name__ == "__main__":
    main()

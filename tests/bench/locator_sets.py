"""Sets of several coverages of locators, one below the other, without blocks and with them.

    python tests/bench/locator_sets.py pores=pores_sets.csv coarse=coarse_sets.csv \\
        > docs/results/data/locator_sets.csv

LOCATOR=SETS: a name, and the table that `calibrate --sets` wrote.
"""

import argparse
import sys

import pandas as pd


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="LOCATOR=SETS")
    tables = []
    for each in parser.parse_args().sets:
        name, _, path = each.partition("=")
        table = pd.read_csv(path)
        names = table["blocks"].map(lambda most, name=name: f"{name} with blocks" if most else name)
        table.insert(0, "model", names)
        tables.append(table.drop(columns="blocks"))
    pd.concat(tables).to_csv(sys.stdout, index=False, float_format="%.3f")


if __name__ == "__main__":
    main()

"""The calls of a run, with what is told of their specimens beside them."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from mrd.core.contracts import CALLS_TABLE, SPECIMENS
from mrd.files.tables import read_table


def read_calls(path: Path) -> pd.DataFrame:
    """Calls as they were written, and purity and age of each specimen where the table of specimens lies beside them.

    Raises
    ------
    FileError, ContractError
        The calls are missing, or one of the tables does not keep its declaration.
    """
    calls, beside = read_table(path, CALLS_TABLE), path.with_name("specimens.tsv")
    if not beside.is_file():
        return calls
    return calls.merge(read_table(beside, SPECIMENS), on=["subject", "visit"], how="left", validate="one_to_one")

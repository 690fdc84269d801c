"""What lifts a building into the top tier whatever its points."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pipeline.contracts.numbers import plain_numbers
from pipeline.settings.score import Veto


def lifted_by(table: pd.DataFrame, vetoes: Mapping[str, Veto]) -> NDArray[np.str_]:
    """Return the first veto that lifts each building into the top tier, "" for none.

    A measurement that is missing lifts nobody, be it one value or the whole column.
    """
    lifted = np.full(len(table), "", dtype=f"<U{max([1, *map(len, vetoes)])}")
    for name, veto in vetoes.items():
        reached = np.ones(len(table), dtype=bool)
        for measure, least in veto.at_least.items():
            known = measure in table.columns
            with np.errstate(invalid="ignore"):
                reached &= (plain_numbers(table[measure]) >= least) if known else False
        lifted = np.where(reached & (lifted == ""), name, lifted)
    return lifted

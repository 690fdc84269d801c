"""A linear or mixed-integer programme on HiGHS: sparse rows, columns with bounds, one objective."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.geo.profile import Flags, Integers
from pipeline.geo.raster import Floats
from pipeline.highs import Effort, silent_solver

_BATCH_COLUMNS = 1000
"""Programmes of about this size are quickest together."""


@dataclass(frozen=True)
class Rows:
    """Constraints ``lower ≤ matrix · x ≤ upper``; the matrix as parallel entries."""

    row: Integers
    column: Integers
    value: Floats
    lower: Floats
    upper: Floats


@dataclass(frozen=True)
class Solved:
    """The best columns found and what nothing can exceed; no columns if none keep the rows."""

    columns: Floats | None
    value: float
    bound: float


def stacked(blocks: Sequence[Rows]) -> Rows:
    """Return the rows of all blocks below one another."""
    before = np.cumsum([0, *(len(one.lower) for one in blocks)])
    rows = [one.row + start for one, start in zip(blocks, before[:-1], strict=True)]
    return Rows(
        np.concatenate(rows),
        *(
            np.concatenate([getattr(one, name) for one in blocks])
            for name in ("column", "value", "lower", "upper")
        ),
    )


def maximised(gain: Floats, rows: Rows, is_whole: Flags, least: Floats, effort: Effort) -> Solved:
    """Return columns between ``least`` and 1 that keep the rows and gain most.

    ``is_whole`` tells which must be 0 or 1. Parts of a city that no row joins are solved on their own,
    some at a time: that is exact, and quicker by far. Each is within ``effort.relative_gap`` of its
    bound unless the node limit came first.
    """
    from scipy import sparse  # with the solver, and only by those who solve

    shape = len(rows.lower), len(gain)
    matrix = sparse.csr_array((rows.value, (rows.row, rows.column)), shape=shape)
    row_batch, column_batch = _batches(matrix)
    columns, value, bound = np.zeros(len(gain)), 0.0, 0.0
    for batch in range(int(column_batch.max(initial=-1)) + 1):
        in_rows, mine = np.flatnonzero(row_batch == batch), np.flatnonzero(column_batch == batch)
        part = _maximised(
            gain[mine],
            matrix[in_rows][:, mine].tocsc(),
            (rows.lower[in_rows], rows.upper[in_rows]),
            is_whole[mine],
            least[mine],
            effort,
        )
        if part.columns is None:
            return Solved(None, -np.inf, part.bound)
        columns[mine] = part.columns
        value, bound = value + part.value, bound + part.bound
    return Solved(columns, value, bound)


def _batches(matrix: Any) -> tuple[Integers, Integers]:
    """Return the batch of each row and column: whole parts of the programme, together of some size."""
    from scipy import sparse
    from scipy.sparse.csgraph import connected_components

    row_count, column_count = matrix.shape
    entry = matrix.tocoo()
    both = row_count + column_count
    links = sparse.coo_array(
        (np.ones(len(entry.row)), (entry.row, row_count + entry.col)), (both, both)
    )
    _, part = connected_components(links.tocsr(), directed=False)
    size = np.bincount(part[row_count:], minlength=int(part.max(initial=-1)) + 1)
    batch = (np.cumsum(size) - size) // _BATCH_COLUMNS
    _, batch = np.unique(batch, return_inverse=True)
    return batch[part[:row_count]], batch[part[row_count:]]


def _maximised(
    gain: Floats,
    matrix: Any,
    limits: tuple[Floats, Floats],
    is_whole: Flags,
    least: Floats,
    effort: Effort,
) -> Solved:
    """Return the best columns of one programme."""
    import highspy

    lp = highspy.HighsLp()
    lp.num_row_, lp.num_col_ = matrix.shape
    lp.col_cost_, lp.col_lower_, lp.col_upper_ = gain, least, np.ones(len(gain))
    lp.row_lower_, lp.row_upper_ = limits
    lp.a_matrix_.format_ = highspy.MatrixFormat.kColwise
    lp.a_matrix_.start_, lp.a_matrix_.index_ = matrix.indptr, matrix.indices
    lp.a_matrix_.value_ = matrix.data
    lp.sense_ = highspy.ObjSense.kMaximize
    kinds = highspy.HighsVarType.kContinuous, highspy.HighsVarType.kInteger
    lp.integrality_ = [kinds[int(whole)] for whole in is_whole]
    solver = silent_solver(effort)
    solver.passModel(lp)
    solver.run()
    info = solver.getInfo()
    bound = float(info.mip_dual_bound) if is_whole.any() else float(info.objective_function_value)
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return Solved(None, -np.inf, bound)
    found = np.array(solver.getSolution().col_value)
    return Solved(found, float(info.objective_function_value), bound)

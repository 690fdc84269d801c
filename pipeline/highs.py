"""HiGHS as the plan and the siting of facilities start it: silent, on one thread, without a clock."""

from dataclasses import dataclass
from typing import Any

_FEASIBILITY = 1e-9


@dataclass(frozen=True)
class Effort:
    """When to stop: by gap or nodes, never by a clock, so that the same input gives the same answer."""

    relative_gap: float
    node_limit: int


def silent_solver(effort: Effort) -> Any:
    """Return a solver without a model; loading HiGHS takes long, and only who solves pays for it."""
    import highspy

    class Silent(highspy.Highs):
        """HiGHS prints its name when callbacks are switched on, before it can be silenced."""

        def enableCallbacks(self) -> None:
            """Leave them off."""

    solver = Silent()
    for name, value in {
        "output_flag": False,
        "threads": 1,
        "mip_rel_gap": effort.relative_gap,
        "mip_abs_gap": 0.0,
        "mip_max_nodes": effort.node_limit,
        "mip_feasibility_tolerance": _FEASIBILITY,
        "primal_feasibility_tolerance": _FEASIBILITY,
    }.items():
        solver.setOptionValue(name, value)
    return solver

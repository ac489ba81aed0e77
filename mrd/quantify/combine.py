"""One decision per visit from what its arms say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mrd.core import words
from mrd.core.settings import Settings
from mrd.quantify.decide import Decision, is_detected
from mrd.quantify.visit import Judged, decide_visit

Verdict = tuple[Judged, Decision]
Rule = Callable[[Sequence[Judged], Settings], Verdict | None]


CLEAR = "clearly-different"


def of_arm(judged: Sequence[Judged], arm: str) -> list[Judged]:
    """What one arm says."""
    return [j for j in judged if j.counted.arm == arm]


def combine_one(arm: str) -> Rule:
    """The rule that listens to one arm only."""

    def rule(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
        mine = of_arm(judged, arm)
        return verdict(mine, settings) if mine else None

    return rule


def combine_laip_first(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
    """The LAIP decides; where what differs from normal finds disease the LAIP does not, nobody is told "below".

    It finds more where it is detected beyond the interval of the LAIP's estimate: the leukaemia may have changed, or this
    person has a normal population that no control shows. At or above the threshold that is positive if it is clearly
    different (or the settings let it always override), else indeterminate, for review; and indeterminate where it is clearly
    different and could lie above the threshold. Without a LAIP it decides alone.
    """
    lead, other = of_arm(judged, "laip"), of_arm(judged, "dfn")
    if not lead or not other:
        return verdict(lead or other, settings) if lead or other else None
    first, second = verdict(lead, settings), verdict(other, settings)
    seen = second[0].finding
    clear = CLEAR in second[0].counted.flags
    above = second[1].below == "N"
    possible = clear and is_detected(seen, settings) and seen.interval[1] >= settings.threshold
    if first[1].below == "N" or seen.x <= first[0].finding.interval[1] or not (above or possible):
        return first
    if above and (settings.dfn_overrides == "always" or (settings.dfn_overrides == "clear" and clear)):
        why = f"{second[1].reason}; the LAIP alone says {first[0].finding.x:.2g}: the leukaemia may have changed"
        return second[0], replace(second[1], reason=why)
    why = f"the LAIP says {first[0].finding.x:.2g}, but {seen.x:.2g} of the leukocytes differ from normal: review"
    return first[0], replace(first[1], call=words.INDETERMINATE, below="", reason=why)


def combine_highest(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
    """The arm with the highest estimate decides, and "below" needs every arm's tubes to be adequate."""
    return verdict(judged, settings) if judged else None


COMBINATIONS: dict[str, Rule] = {
    "laip-first": combine_laip_first,
    "highest": combine_highest,
    **{arm: combine_one(arm) for arm in words.ARMS},
}


def combine(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
    """The deciding tube and arm and the visit's decision, by the rule that the settings name; None where no arm applies."""
    return COMBINATIONS[settings.combine](judged, settings)


def verdict(judged: Sequence[Judged], settings: Settings) -> Verdict:
    """The decision of some arms' tubes; without a LAIP, finding nothing does not tell "below" unless the settings allow it."""
    deciding, decision = decide_visit(judged)
    alone = all(j.counted.arm == "dfn" for j in judged)
    if decision.below == "Y" and alone and not settings.dfn_below:
        why = "no leukaemia of this subject is known: what differs from normal does not tell below by itself"
        return deciding, replace(decision, call=words.INDETERMINATE, below="", reason=f"{why} ({decision.reason})")
    return deciding, decision


def combined_flags(judged: Sequence[Judged], deciding: Judged, decision: Decision, settings: Settings) -> list[str]:
    """Whether the arms disagree, and whether only the search for what differs from normal applied."""
    flags = ["dfn-only"] if all(j.counted.arm == "dfn" for j in judged) else []
    others = [j for j in judged if j.counted.arm != deciding.counted.arm]
    return [*flags, *(["arms-disagree"] if any(disagrees(j, deciding, decision, settings) for j in others) else [])]


def disagrees(other: Judged, deciding: Judged, decision: Decision, settings: Settings) -> bool:
    """Whether an arm lies on the other side of the threshold, or finds nothing of what it should see."""
    sides = {other.decision.below, decision.below}
    if other.counted.arm == "dfn" and other.decision.below == "N" and decision.below != "N":
        return True
    blind = not is_detected(other.finding, settings) and deciding.finding.interval[0] > other.limits.lod
    return sides == {"Y", "N"} or (blind and is_detected(deciding.finding, settings))

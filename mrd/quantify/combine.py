"""One decision per visit from what its arms say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from mrd.core import words
from mrd.core.settings import Settings
from mrd.quantify.decide import Decision, confidence, is_detected
from mrd.quantify.visit import Judged, decide_visit

Verdict = tuple[Judged, Decision]
Rule = Callable[[Sequence[Judged], Settings], Verdict | None]

BEYOND = 5.0
"""Times the upper end of the LAIP's interval from which on what surely changed overrides a LAIP that still finds some."""


def of_arm(judged: Sequence[Judged], arm: str) -> list[Judged]:
    """What one arm says."""
    return [j for j in judged if j.counted.arm == arm]


def combine_one(arm: str) -> Rule:
    """The rule that listens to one arm only."""

    def rule(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
        mine = of_arm(judged, arm)
        return verdict(mine, settings) if mine else None

    return rule


def parted(judged: Sequence[Judged]) -> tuple[list[Judged], list[Judged]]:
    """The known LAIP of every panel, and drawn ones beside a learned one.

    Known is the one that the diagnosis taught, else the one that the lab drew, else the one that a follow-up taught.
    """
    drawn = of_arm(judged, "drawn")
    by_lab = {j.counted.panel for j in drawn}
    learned = [j for j in of_arm(judged, "laip") if not (is_followed(j) and j.counted.panel in by_lab)]
    known = {j.counted.panel for j in learned}
    return learned + [j for j in drawn if j.counted.panel not in known], [j for j in drawn if j.counted.panel in known]


def is_followed(judged: Judged) -> bool:
    """Whether a follow-up taught the LAIP that was counted."""
    return words.FOLLOWED in judged.counted.flags


def combine_laip_first(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
    """The LAIP decides; where another look finds disease the LAIP does not, nobody is told "below".

    The LAIP is the learned one; a drawn one stands in where none was learned, and else is another look, as is what differs
    from normal. A look finds more where it is detected beyond the interval of the LAIP's estimate: the leukaemia may have
    changed, a gate may hold what is not leukaemia, or this person has a normal population that no control shows. At or above
    the threshold what differs is positive if it does so clearly, is new, and the LAIP shows nothing (or the settings let it
    always override): there a leukaemia of another kind is the likeliest, while what is there at every visit may as well be
    this person's normal marrow, and a LAIP that still finds its own is seldom that far off, unless what differs has surely
    changed and is several times as much. In a tube that lies far from the reference only what has surely changed is. Any
    other look, and what clearly differs and could lie above the threshold, is indeterminate, for review. Without any LAIP
    what differs decides alone, and a LAIP that a follow-up taught adds to what it finds: it
    takes no positive back.
    """
    lead, beside = parted(judged)
    differs = of_arm(judged, "dfn")
    if not lead:
        return more_positive(verdict(differs, settings), differs, settings) if differs else None
    first = verdict(lead, settings)
    if all(is_followed(j) for j in lead):
        return more_positive(first, differs, settings)
    more = [v for v in each_alone([*differs, *beside], settings) if finds_more(v, first, settings)]
    told = [outvoted(first, look, settings) for look in more]
    return next((v for v in told if v[1].below == "N"), told[0]) if told else first


def each_alone(looks: Sequence[Judged], settings: Settings) -> list[Verdict]:
    """What each of several tubes says by itself, the highest first: what one does not detect hides nothing that another does."""
    return [verdict([j], settings) for j in sorted(looks, key=lambda j: (-j.finding.x, j.counted.tubes))]


def more_positive(first: Verdict, others: Sequence[Judged], settings: Settings) -> Verdict:
    """The verdict, unless one of others calls the visit positive and it does not."""
    positive = [v for v in each_alone(others, settings) if v[1].below == "N"]
    return positive[0] if positive and first[1].below != "N" else first


def finds_more(look: Verdict, first: Verdict, settings: Settings) -> bool:
    """Whether a look is beyond the interval of an estimate that is not above, and is above itself or may well be."""
    seen = look[0].finding
    possible = is_clear(look) and is_detected(seen, settings) and seen.interval[1] >= settings.threshold
    return first[1].below != "N" and seen.x > first[0].finding.interval[1] and (look[1].below == "N" or possible)


def is_clear(look: Verdict) -> bool:
    """Whether what a look found is clearly different from normal."""
    return words.CLEAR in look[0].counted.flags


def is_sure(look: Verdict) -> bool:
    """Whether what a look found is clearly different and new, in a tube that lies where the controls do, or surely changed."""
    flags = look[0].counted.flags
    return words.NEW in flags and (words.SHIFTED not in flags or words.SURELY_CHANGED in flags)


def is_beyond(look: Verdict, first: Verdict) -> bool:
    """Whether what a look found has surely changed since other visits, and lies far beyond what is left of the LAIP."""
    changed = words.SURELY_CHANGED in look[0].counted.flags
    return changed and look[0].finding.interval[0] >= BEYOND * first[0].finding.interval[1]


def outvoted(first: Verdict, look: Verdict, settings: Settings) -> Verdict:
    """What becomes of a call where another look finds more."""
    differs, x = look[0].counted.arm == "dfn", first[0].finding.x
    switched = is_sure(look) and (not is_detected(first[0].finding, settings) or is_beyond(look, first))
    overrides = settings.dfn_overrides == "always" or (settings.dfn_overrides == "clear" and switched)
    if differs and overrides and look[1].below == "N":
        why = f"{look[1].reason}; the LAIP alone says {x:.2g}: {words.MAY_HAVE_CHANGED}"
        return look[0], replace(look[1], reason=why)
    seen = "differ from normal" if differs else "lie in the LAIP that the lab drew"
    why = f"the LAIP says {x:.2g}, but {look[0].finding.x:.2g} of the leukocytes {seen}: review"
    return first[0], replace(first[1], call=words.INDETERMINATE, below="", reason=why)


def combine_highest(judged: Sequence[Judged], settings: Settings) -> Verdict | None:
    """The arm with the highest estimate decides, and "below" needs every arm's tubes to be adequate."""
    return verdict(judged, settings) if judged else None


COMBINATIONS: dict[str, Rule] = {
    "laip-first": combine_laip_first,
    "highest": combine_highest,
    **{arm: combine_one(arm) for arm in words.ARMS},
}


def heard(judged: Sequence[Judged], shared: Sequence[Judged], settings: Settings, *, of_others: bool = False) -> list[Judged]:
    """Who is asked for the call: where a LAIP leads in a panel, not a search that found only what most subjects share.

    What most subjects have, and no control shows, is no sign that the leukaemia of this one has changed. A rule that listens
    to one arm asks it whatever it found, and that of the highest arm leaves it out beside a followed LAIP alone. What
    the subjects of another run shared (`of_others`) silences nothing: a leukaemia may be alike.
    """
    if settings.combine in words.ARMS or of_others:
        return list(judged)
    first = settings.combine == "laip-first"
    led = {j.counted.panel for j in parted(judged)[0] if first or is_followed(j)}
    return [j for j in judged if not (j.counted.panel in led and j in shared)]


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


def reaching(judged: Sequence[Judged], deciding: Judged, decision: Decision, settings: Settings) -> Verdict:
    """What is told of a visit where the LAIP leads: its interval reaches up to what another arm estimates that detects disease.

    An arm's own interval holds the errors of its counts. A leukaemia that drifted away from its diagnosis loses cells of the
    LAIP, not of every arm alike, so that a higher estimate is evidence. The decision stays; how sure it is may not.
    """
    if settings.combine != "laip-first":
        return deciding, decision
    more = [j for j in judged if j.counted.arm != deciding.counted.arm and is_detected(j.finding, settings)]
    told = up_to(deciding.interval, [j.fraction for j in more])
    compared = up_to(deciding.finding.interval, [j.finding.x for j in more])
    shown = replace(deciding, interval=told, finding=replace(deciding.finding, interval=compared))
    return shown, replace(decision, confident=confidence(compared, settings))


def up_to(interval: tuple[float, float], estimates: Sequence[float]) -> tuple[float, float]:
    """An interval that ends no lower than any of the estimates."""
    return interval[0], max(interval[1], *estimates) if estimates else interval[1]


def combined_flags(judged: Sequence[Judged], deciding: Judged, decision: Decision, settings: Settings) -> list[str]:
    """Whether the arms disagree, and whether only the search for what differs from normal applied."""
    flags = ["dfn-only"] if all(j.counted.arm == "dfn" for j in judged) else []
    others = [j for j in judged if j.counted.arm != deciding.counted.arm]
    return [*flags, *(["arms-disagree"] if any(disagrees(j, deciding, decision, settings) for j in others) else [])]


def disagrees(other: Judged, deciding: Judged, decision: Decision, settings: Settings) -> bool:
    """Whether an arm lies on the other side of the threshold, or finds nothing of what it should see."""
    sides = {other.decision.below, decision.below}
    if other.counted.arm == "dfn" and decision.below != "N":
        more = other.finding.x > deciding.finding.interval[1] and is_detected(other.finding, settings)
        if other.decision.below == "N" or (more and words.CLEAR in other.counted.flags):
            return True
    blind = not is_detected(other.finding, settings) and deciding.finding.interval[0] > other.limits.lod
    return sides == {"Y", "N"} or (blind and is_detected(deciding.finding, settings))

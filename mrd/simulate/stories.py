"""The stories of the mock trial: what happens to a subject by day, and the answers a statistician would write down by hand."""

from __future__ import annotations

from dataclasses import dataclass, field

Series = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Answers:
    """What must come out, worked out by hand.

    converted : by rule last, any, best, worst, as four letters Y or N
    times : OS, LFS, NEUTDUR, PLTDUR as (days, CNSR); days None where there is no time
    """

    converted: str
    reason: str
    best: str
    responder: str
    times: tuple[tuple[int | None, int], ...]


@dataclass(frozen=True)
class Story:
    """One course. Days count from the first dose, which is day 0.

    marrows, blood : (day, outcome of the call) · assessments : (day, response shown) · cycles : starts of induction
    dates : consolidation, transplant, new-therapy, relapse, refractory, withdrawal, death, last-alive
    death_month : months after that of the first dose in which the subject died, told without a day
    stretch : days by which the follow-up of each further copy is longer
    """

    name: str
    answers: Answers
    entry: str = "relapsed"
    treated: bool = True
    baseline: str = "heavy"
    marrows: tuple[tuple[int, str], ...] = ()
    blood: tuple[tuple[int, str], ...] = ()
    assessments: tuple[tuple[int, str], ...] = ()
    cycles: tuple[int, ...] = (0, 28)
    dates: dict[str, int] = field(default_factory=dict)
    death_month: int | None = None
    anc: Series = ((-1, 2.0), (14, 1.5), (26, 2.0))
    platelets: Series = ((-1, 180.0), (14, 150.0), (26, 160.0))
    transfusions: tuple[int, ...] = ()
    stretch: int = 0


NO_LFS, NOT_LOW, UNTREATED = (1, 3), (1, 3), (None, 4)
LOW_ANC: Series = ((-1, 1.2), (8, 0.3), (15, 0.4), (20, 0.6), (22, 0.8))
LOW_PLATELETS: Series = ((-1, 90.0), (8, 40.0), (15, 60.0), (22, 120.0), (26, 130.0))

STORIES = (
    Story(
        "deep remission, consolidated",
        Answers("YYYY", "converted", "CR", "Y", ((701, 1), (673, 1), (13, 0), (15, 0))),
        marrows=((28, "low"), (56, "below")),
        assessments=((28, "CR"), (56, "CR")),
        dates={"consolidation": 70, "last-alive": 700},
        anc=LOW_ANC,
        platelets=LOW_PLATELETS,
        transfusions=(12,),
        stretch=10,
    ),
    Story(
        "converted and lost again",
        Answers("NYNN", "positive", "CR", "Y", ((301, 0), (93, 0), (26, 0), NOT_LOW)),
        marrows=((28, "below"), (56, "positive")),
        assessments=((28, "CR"), (56, "CR")),
        dates={"relapse": 120, "new-therapy": 130, "death": 300},
        anc=((-1, 0.2), (12, 0.1), (25, 0.7), (27, 1.1)),
    ),
    Story(
        "refractory",
        Answers("NNNN", "refractory", "NR", "N", ((151, 0), NO_LFS, (22, 2), (22, 2))),
        entry="refractory",
        marrows=((28, "positive"), (56, "positive")),
        assessments=((28, "NR"), (56, "NR")),
        dates={"refractory": 57, "new-therapy": 60, "death": 150},
        anc=((-1, 0.9), (7, 0.1), (27, 0.2), (55, 0.1)),
        platelets=((-1, 60.0), (7, 12.0), (27, 20.0), (55, 9.0)),
    ),
    Story(
        "early death",
        Answers("NNNN", "death", "NE", "N", ((21, 0), NO_LFS, (14, 1), (14, 1))),
        cycles=(0,),
        dates={"death": 20},
        anc=((-1, 0.8), (5, 0.1), (18, 0.0)),
        platelets=((-1, 70.0), (5, 15.0), (18, 8.0)),
        transfusions=(6, 10, 14),
    ),
    Story(
        "response without a marrow by flow",
        Answers("NNYN", "missing", "CRi", "Y", ((201, 1), (173, 1), NOT_LOW, (20, 2))),
        assessments=((28, "CRi"),),
        cycles=(0, 29),
        dates={"withdrawal": 200, "last-alive": 200},
        platelets=((-1, 90.0), (10, 30.0), (30, 60.0), (33, 70.0)),
        stretch=10,
    ),
    Story(
        "inadequate marrow",
        Answers("NNYN", "inadequate", "MLFS", "Y", ((401, 1), NO_LFS, (20, 1), (20, 1))),
        marrows=((28, "inadequate"),),
        assessments=((28, "MLFS"),),
        cycles=(0,),
        dates={"last-alive": 400},
        anc=((-1, 0.7), (8, 0.2), (27, 0.2)),
        platelets=((-1, 55.0), (8, 20.0), (27, 30.0)),
        stretch=10,
    ),
    Story(
        "below only after transplant",
        Answers("NNNN", "positive", "CR", "Y", ((601, 1), (573, 1), (8, 0), NOT_LOW)),
        marrows=((28, "positive"), (90, "below")),
        assessments=((28, "CR"),),
        dates={"transplant": 60, "last-alive": 600},
        anc=((-1, 1.5), (8, 0.4), (15, 0.5), (18, 0.9)),
        stretch=10,
    ),
    Story(
        "late converter, dies in remission",
        Answers("YYYY", "converted", "CR", "Y", ((401, 0), (345, 0), (19, 0), (13, 0))),
        marrows=((28, "positive"), (56, "below")),
        assessments=((28, "NR"), (56, "CR")),
        dates={"death": 400},
        anc=((-1, 1.0), (8, 0.1), (26, 0.5), (27, 0.9)),
        platelets=((-1, 80.0), (8, 20.0), (20, 50.0), (24, 90.0)),
    ),
    Story(
        "no disease at baseline",
        Answers("NNNN", "no-disease", "CR", "Y", ((501, 1), (473, 1), NOT_LOW, NOT_LOW)),
        entry="newly diagnosed",
        baseline="below",
        marrows=((28, "below"),),
        assessments=((28, "CR"),),
        dates={"last-alive": 500},
        stretch=10,
    ),
    Story(
        "never treated",
        Answers("NNNN", "not-treated", "NE", "N", (UNTREATED, UNTREATED, UNTREATED, UNTREATED)),
        treated=False,
        cycles=(),
        dates={"last-alive": 30},
    ),
    Story(
        "last marrow cannot be told",
        Answers("YYYN", "converted", "CR", "Y", ((301, 1), (273, 1), NOT_LOW, NOT_LOW)),
        marrows=((28, "below"), (56, "background")),
        assessments=((28, "CR"),),
        dates={"last-alive": 300},
        stretch=10,
    ),
    Story(
        "partial response, day of death unknown",
        Answers("NNNN", "positive", "PR", "N", ((-1, 0), NO_LFS, NOT_LOW, NOT_LOW)),
        marrows=((28, "positive"),),
        assessments=((28, "PR"),),
        death_month=4,
    ),
    Story(
        "blood only",
        Answers("NNYN", "blood-only", "CRi", "Y", ((251, 1), (223, 1), NOT_LOW, NOT_LOW)),
        blood=((28, "inadequate"),),
        assessments=((28, "CRi"),),
        dates={"last-alive": 250},
        stretch=10,
    ),
    Story(
        "new therapy before the first marrow",
        Answers("NNNN", "new-therapy", "NE", "N", ((91, 0), NO_LFS, NOT_LOW, NOT_LOW)),
        marrows=((28, "positive"),),
        assessments=((28, "NR"),),
        cycles=(0,),
        dates={"new-therapy": 25, "death": 90},
    ),
)
"""Fourteen stories; the trial holds three subjects of each. OS of the unknown day of death is counted from the calendar."""

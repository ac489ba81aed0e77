"""Tubes of another day, antibody lot or staining through the commands, with known truth."""

import numpy as np
import pytest

from mrd.cli.call import shows_by
from mrd.core.contracts import ARMS_TABLE, SPECIMENS
from mrd.files.tables import read_table
from tests.cohort import read_calls, run_some
from tests.shifted import add_tube

MARKERS = ("CD38", "CD13", "CD34", "CD117", "CD33", "CD56", "CD19", "HLA-DR", "CD45")
PHENOTYPE = "CD45midSSCmidCD34+CD56loCD19-HLADRhi/CD45+"
SIGNS = np.random.default_rng(3).choice([-0.3, 0.3], (2, len(MARKERS)))


@pytest.mark.parametrize(
    ("laip", "lost", "blind"),
    [
        (PHENOTYPE, "CD56", True),
        (PHENOTYPE, "CD19;HLA-DR", True),
        (PHENOTYPE, "CD19", False),
        (PHENOTYPE, "CD7", False),
        (PHENOTYPE, None, False),
        (None, "CD56", False),
    ],
)
def test_a_lost_stain_matters_where_the_laip_shows_its_marker(laip, lost, blind):
    assert shows_by(laip, lost) is blind


def test_a_shift_of_every_marker_and_a_lot_shift_are_called_right_and_a_failed_stain_is_not_called(copied):
    settings, results = copied
    plan = settings.parent / "samples.tsv"
    day = [dict(zip(MARKERS, s, strict=True)) for s in SIGNS]
    true = {
        "FU2": add_tube(plan, "FU2", day[0], burden=0.06),
        "FU3": add_tube(plan, "FU3", day[1], events=7_000),
        "FU4": add_tube(plan, "FU4", {"CD56": 0.8}, burden=0.06),
        "FU5": add_tube(plan, "FU5", {"CD117": -0.8}, events=7_000),
        "FU6": add_tube(plan, "FU6", {"CD13": 3.0}, burden=0.06),
        "FU7": add_tube(plan, "FU7", {"CD13": 3.0}),
        "FU8": add_tube(plan, "FU8", {}, lost=["CD56"], burden=0.06),
        "FU9": add_tube(plan, "FU9", {}, lost=["CD56"], events=7_000),
    }
    run_some(settings, "prepare", "laip", "detect", "call")
    calls = read_calls(results).loc["P1"]
    for visit in ("FU2", "FU4"):
        row = calls.loc[visit]
        assert (row["call"], row["below_threshold"]) == ("positive", "N")
        assert row["ci_low"] <= true[visit] <= row["ci_high"]
        assert row["mrd_fraction"] == pytest.approx(true[visit], rel=0.2)
    for visit in ("FU3", "FU5"):
        row = calls.loc[visit]
        assert (row["call"], true[visit]) == ("not-detected", 0.0)
        assert row["mrd_fraction"] <= row["lob"]
    assert calls["flags"].str.contains("shifted").to_dict() == {
        v: v in ("FU4", "FU5") for v in ("DX", "FU1", "FU2", "FU3", "FU4", "FU5", "FU6", "FU7", "FU8", "FU9")
    }
    assert set(calls.index[calls["flags"].str.contains("stain-lost")]) == {"FU8", "FU9"}
    assert calls.loc["FU8", "below_threshold"] != "Y"
    assert calls.loc["FU9", ["call", "reason"]].tolist() == [
        "indeterminate",
        "estimate 0 is below 0.02, but a stain that shows the LAIP may have failed",
    ]
    specimens = read_table(results / "specimens.tsv", SPECIMENS).set_index(["subject", "visit"]).loc["P1"]
    assert specimens["stains_lost"].dropna().to_dict() == {"FU8": "CD56", "FU9": "CD56"}
    for visit in ("FU6", "FU7"):
        row = calls.loc[visit]
        assert (row["call"], row["flags"].split(";")) == ("not-evaluable", ["far-from-reference"])
        assert row["reason"].startswith("too far from the reference: CD13 lies +3.")
        assert "from where the controls show it, the limit is 1.5" in row["reason"]
    arms = read_table(results / "arms.tsv", ARMS_TABLE)
    assert set(arms.loc[arms["visit"].eq("FU6"), "outcome"]) == {"failed"}

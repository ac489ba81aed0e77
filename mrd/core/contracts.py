"""Every table the pipeline reads or writes, declared once."""

from __future__ import annotations

from dataclasses import replace

from mrd.core.contracts_adam import (
    ADAE as ADAE,
    ADMRD as ADMRD,
    ADRS as ADRS,
    ADSL as ADSL,
    ADTTE as ADTTE,
)
from mrd.core.contracts_beside import (
    DEIDENTIFIED as DEIDENTIFIED,
    DIFFERENCES as DIFFERENCES,
    EXPORTS as EXPORTS,
    GATED as GATED,
    PAGES as PAGES,
)
from mrd.core.contracts_clinical import (
    ADVERSE_EVENTS as ADVERSE_EVENTS,
    DISPOSITION as DISPOSITION,
    EXPOSURE as EXPOSURE,
    LABS as LABS,
    RESPONSES as RESPONSES,
    REVIEW as REVIEW,
    SUBJECTS as SUBJECTS,
    YN as YN,
)
from mrd.core.contracts_conversion import (
    CONVERSION as CONVERSION,
    CONVERSION_REASONS as CONVERSION_REASONS,
    DISEASE as DISEASE,
    SUMMARY as SUMMARY,
)
from mrd.core.contracts_sdtm import (
    CP as CP,
    RS as RS,
)
from mrd.core.contracts_tables import (
    CELLS as CELLS,
    TRIAL_TABLES as TRIAL_TABLES,
)
from mrd.core.tables import Column, Table
from mrd.core.words import ARMS, CALLS, CONTROL_KINDS, OUTCOMES, PURITY_METHODS, READINGS, ROLES, SPECIMEN_TYPES

C = Column

SAMPLES = Table(
    "samples",
    1,
    "tube of the cohort",
    (
        C("subject", "s", "pseudonymous subject", required=True),
        C("visit", "s", "timepoint of the subject", required=True),
        C("role", "s", "what the tube is for", required=True, codes=ROLES),
        C("control_kind", "s", "kind of control marrow", codes=CONTROL_KINDS),
        C("tube", "s", "tube of the specimen", required=True),
        C("specimen", "s", "id of the draw", required=True),
        C("specimen_type", "s", "what was drawn", required=True, codes=SPECIMEN_TYPES),
        C("collected", "d", "day of the draw", required=True),
        C("fcs", "s", "FCS file, relative to the sheet", required=True),
    ),
    key=("subject", "visit", "tube"),
    open=True,
)
"""The sample sheet; further columns pass through (`received panel compensation dataset` and four blood
counts, `rbc_marrow rbc_blood wbc_marrow wbc_blood`, are read where present)."""

TUBES = Table(
    "tubes",
    2,
    "tube that was prepared",
    (
        C("tube_id", "s", "subject_visit_tube", required=True),
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit", required=True),
        C("role", "s", "role", required=True, codes=ROLES),
        C("control_kind", "s", "kind of control", codes=CONTROL_KINDS),
        C("tube", "s", "tube of the specimen", required=True),
        C("specimen", "s", "id of the draw", required=True),
        C("specimen_type", "s", "what was drawn", required=True, codes=SPECIMEN_TYPES),
        C("collected", "d", "day of the draw", required=True),
        C("panel", "s", "panel the tube was read with", required=True),
        C("outcome", "s", "whether cells came out", required=True, codes=OUTCOMES),
        C("reason", "s", "why not, in one line"),
        C("n_events", "i", "events in the file", low=0),
        C("n_cells", "i", "events that passed quality and singlet gates", low=0),
        C("n_leukocytes", "i", "CD45+ cells without erythroid cells", low=0),
        C("n_blast", "i", "cells in the blast compartment", low=0),
        C("flags", "s", "`;`-separated flags"),
        C("inputs", "h", "digest of everything the artefact was made from", required=True),
        C("artefact", "h", "digest of the artefact's bytes"),
        C("reading", "s", "what the reader made of the FCS file", codes=READINGS),
        C("repairs", "s", "what had to be put right in it"),
        C("dataset", "i", "data set of the file, from 1", low=1),
        C("matrix", "h", "digest of the spillover matrix that was undone; empty where none was"),
        C("received", "d", "day the tube was received, where the sheet tells it", optional=True),
    ),
    key=("tube_id",),
)

QC = Table(
    "qc",
    1,
    "gate node of a tube",
    (
        C("tube_id", "s", "subject_visit_tube", required=True),
        C("node", "s", "gate or quality step", required=True),
        C("parent", "s", "node it was applied to"),
        C("count", "i", "events inside", required=True, low=0),
        C("share_parent", "f", "events inside / events of the parent", "1", low=0, high=1),
        C("share_events", "f", "events inside / events of the file", "1", low=0, high=1),
        C("gate", "h", "digest of the gate as applied"),
    ),
    key=("tube_id", "node"),
)

LAIPS = Table(
    "laips",
    2,
    "subject, panel and arm: what its diagnosis tube taught, the lab drew, or without either a follow-up taught",
    (
        C("subject", "s", "subject", required=True),
        C("panel", "s", "panel", required=True),
        C("arm", "s", "detection arm", required=True, codes=ARMS),
        C("tube_id", "s", "tube it was learned on, or a drawn one's recall was measured on; empty without one"),
        C("outcome", "s", "whether a LAIP was found", required=True, codes=OUTCOMES),
        C("reason", "s", "why not, in one line"),
        C("phenotype", "s", "phenotype string of the leukaemic cells"),
        C("share", "f", "leukaemic share of that tube's cells", "1", low=0, high=1),
        C("cut", "f", "log-likelihood ratio above which a cell counts", "nat"),
        C("recall", "f", "share of leukaemic cells above the cut", "1", low=0, high=1),
        C("recall_se", "f", "standard error of the recall", "1", low=0),
        C("background", "f", "mean share of control leukocytes above the cut", "1", low=0),
        C("n_controls", "i", "controls behind the limits", low=0),
        C("flags", "s", "`;`-separated flags"),
        C("inputs", "h", "digest of everything the artefact was made from", required=True),
        C("artefact", "h", "digest of the artefact's bytes"),
    ),
    key=("subject", "panel", "arm"),
)

PURITY = (
    C("purity", "f", "marrow share of the leukocytes; empty where it was not assessed", "1", low=0, high=1, optional=True),
    C(
        "purity_method",
        "s",
        "how: blood counts of the sheet, or erythroid cells over lymphocytes against the controls",
        codes=PURITY_METHODS,
        optional=True,
    ),
)

BURDENS = Table(
    "burdens",
    2,
    "tube and arm: what was counted",
    (
        C("tube_id", "s", "subject_visit_tube", required=True),
        C("arm", "s", "detection arm", required=True, codes=ARMS),
        C("outcome", "s", "whether the arm applied", required=True, codes=OUTCOMES),
        C("reason", "s", "why not, in one line"),
        C("n_leukocytes", "i", "leukocytes, the found cells among them", low=0),
        C("n_found", "i", "cells above the cut", low=0),
        C("recall", "f", "share of leukaemic cells above the cut", "1", low=0, high=1),
        C("recall_se", "f", "standard error of the recall", "1", low=0),
        C(
            "least_lod",
            "f",
            "leukaemic share from which the arm finds known kinds of leukaemia in 95 of 100 controls",
            "1",
            low=0,
        ),
        C("distance", "f", "largest shift of a marker from where the controls show it", "asinh units", low=0),
        C("flags", "s", "`;`-separated flags"),
        C("inputs", "h", "digest of everything the scores were made from", required=True),
        C("artefact", "h", "digest of the artefact's bytes"),
        *PURITY,
        C("lost", "s", "`;`-separated markers that next to no cell carries, while cells of every control do", optional=True),
    ),
    key=("tube_id", "arm"),
)

ESTIMATE = (
    C("mrd_fraction", "f", "background- and recall-corrected leukaemic cells / leukocytes", "1", low=0),
    C("ci_low", "f", "lower end of the interval of mrd_fraction", "1", low=0),
    C("ci_high", "f", "upper end of the interval of mrd_fraction", "1", low=0),
    C("lob", "f", "limit of blank on the scale of mrd_fraction", "1", low=0),
    C("lod", "f", "limit of detection on the scale of mrd_fraction", "1", low=0),
    C("lloq", "f", "lower limit of quantification on the scale of mrd_fraction", "1", low=0),
    C("recall", "f", "share of leukaemic cells above the cut", "1", low=0, high=1),
    C("background", "f", "share of control leukocytes above the cut", "1", low=0),
)

CALLS_TABLE = Table(
    "calls",
    1,
    "subject and visit",
    (
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit", required=True),
        C("role", "s", "diagnosis (baseline, in-sample) or follow-up", required=True, codes=ROLES),
        C("specimen", "s", "id of the draw", required=True),
        C("specimen_type", "s", "what was drawn", required=True, codes=SPECIMEN_TYPES),
        C("collected", "d", "day of the draw", required=True),
        C("n_tubes", "i", "tubes of the visit that were read", low=0),
        C("n_events", "i", "events of the deciding tube", low=0),
        C("n_cells", "i", "cells of the deciding tube", low=0),
        C("n_leukocytes", "i", "leukocytes of the deciding tube: the MRD denominator", low=0),
        C("n_blast", "i", "cells in the blast compartment of the deciding tube", low=0),
        C("n_laip", "i", "cells with the LAIP in the deciding tube", low=0),
        C("laip_fraction", "f", "n_laip / n_leukocytes, as a gater counts", "1", low=0),
        C("laip_below", "s", "1000 n_laip < n_leukocytes", codes=("Y", "N")),
        *ESTIMATE,
        C("arm", "s", "arm that decided", codes=ARMS),
        C("call", "s", "the decision", required=True, codes=CALLS),
        C("below_threshold", "s", "Y below, N at or above, empty where it cannot be told", codes=("Y", "N")),
        C("confident", "s", "whether the interval lies on one side of the threshold", codes=("Y", "N")),
        C("reason", "s", "why this call, in one line", required=True),
        C("flags", "s", "`;`-separated flags"),
        C(
            "decide_on",
            "s",
            "quantity that was compared with the threshold",
            required=True,
            codes=("mrd_fraction", "laip_fraction"),
        ),
        C("threshold", "f", "threshold", "1", required=True),
        C("guideline", "s", "guideline version of the report wording", required=True),
        C("reference", "h", "digest of the reference"),
        C("laip", "h", "digest of the LAIP"),
        C("panel", "s", "panel of the deciding tube"),
        C("version", "s", "software version", required=True),
    ),
    key=("subject", "visit"),
)

SPECIMENS = Table(
    "specimens",
    1,
    "subject and visit: how pure and how old the specimen is",
    (
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit", required=True),
        *PURITY,
        C("storage_days", "i", "days from draw to receipt of the latest tube; empty where no receipt is told", "day", low=0),
        C("stains_lost", "s", "`;`-separated markers whose stain may have failed in one of the tubes", optional=True),
    ),
    key=("subject", "visit"),
)

CALLS_BESIDE = replace(
    CALLS_TABLE,
    columns=(*CALLS_TABLE.columns, *(replace(c, optional=True) for c in SPECIMENS.columns if c.name not in SPECIMENS.key)),
)
"""Calls with what is told of their specimens beside them, as they are read and never written."""

ARMS_TABLE = Table(
    "arms",
    1,
    "subject, visit, tube (or pool of tubes of one panel) and arm",
    (
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit", required=True),
        C("tubes", "s", "tube ids, joined by +", required=True),
        C("panel", "s", "panel", required=True),
        C("arm", "s", "detection arm", required=True, codes=ARMS),
        C("outcome", "s", "whether the arm applied", required=True, codes=OUTCOMES),
        C("reason", "s", "why not, in one line"),
        C("n_leukocytes", "i", "leukocytes", low=0),
        C("n_found", "i", "cells above the cut", low=0),
        *ESTIMATE,
        C("detected", "s", "estimate over LoB and enough cells", codes=("Y", "N")),
        C("adequate", "s", "could have told below the threshold", codes=("Y", "N")),
        C("agrees", "s", "same side of the threshold as the call", codes=("Y", "N")),
        C("decided", "s", "this row gave the call", codes=("Y", "N")),
    ),
    key=("subject", "visit", "tubes", "arm"),
)

LIMITS = Table(
    "limits",
    2,
    "arm of a subject (of a tube, where the tube itself taught it) and control, cross-fitted",
    (
        C("subject", "s", "subject whose LAIP was counted", required=True),
        C("panel", "s", "panel", required=True),
        C("arm", "s", "detection arm", required=True, codes=ARMS),
        C("tube_id", "s", "tube whose clusters were counted; empty where the arm was learned at diagnosis"),
        C("control", "s", "control tube", required=True),
        C("control_kind", "s", "kind of control", required=True, codes=CONTROL_KINDS),
        C("cut", "f", "cut chosen without this control", "nat"),
        C("n_leukocytes", "i", "leukocytes of the control", required=True, low=0),
        C("n_found", "i", "cells of the control above the cut", required=True, low=0),
        C("fraction", "f", "n_found / n_leukocytes", "1", required=True, low=0),
        C("recall", "f", "share of leukaemic cells that would be found in this control", "1", low=0, high=1),
    ),
    key=("subject", "panel", "arm", "tube_id", "control"),
)

CLUSTERS = Table(
    "clusters",
    2,
    "population that an arm found in a tube",
    (
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit", required=True),
        C("tube_id", "s", "subject_visit_tube", required=True),
        C("arm", "s", "detection arm", required=True, codes=ARMS),
        C("cluster", "i", "number of the population in the tube, from 1; of a followed LAIP from 101", required=True, low=1),
        C("n_cells", "i", "found cells that belong to it", required=True, low=0),
        C("fraction", "f", "n_cells / leukocytes", "1", required=True, low=0),
        C("phenotype", "s", "phenotype string", required=True),
        C("differs", "s", "markers in which it differs from the nearest normal population, asinh units"),
        C("ratio", "f", "its cells over those of the mean control, where that is largest", "1", low=0),
        C("likely", "f", "share of its cells in the gate leukaemia is looked for in", "1", low=0, high=1),
        C(
            "change",
            "f",
            "its cells over those at the subject's quiet other visits, where searched together, as far as all cells bear it out",
            "1",
            low=0,
        ),
    ),
    key=("tube_id", "arm", "cluster"),
)

SHARED = Table(
    "shared",
    1,
    "population that most subjects of a run share, of the run that the reference was frozen with where one was given",
    (
        C("phenotype", "s", "phenotype string", required=True),
        C("n_subjects", "i", "subjects in whom the search found a population alike", required=True, low=1),
        C("n_searched", "i", "subjects that were searched", required=True, low=1),
    ),
    key=("phenotype",),
)

PIPELINE_TABLES = [
    SAMPLES,
    TUBES,
    QC,
    LAIPS,
    BURDENS,
    CALLS_TABLE,
    ARMS_TABLE,
    LIMITS,
    CLUSTERS,
    SUBJECTS,
    RESPONSES,
    CONVERSION,
    SUMMARY,
    ADMRD,
    PAGES,
    EXPORTS,
    DIFFERENCES,
    DEIDENTIFIED,
    GATED,
    EXPOSURE,
    LABS,
    ADVERSE_EVENTS,
    DISPOSITION,
    REVIEW,
    ADSL,
    ADRS,
    ADTTE,
    ADAE,
    CP,
    RS,
    *TRIAL_TABLES,
    CELLS,
    SPECIMENS,
    SHARED,
]

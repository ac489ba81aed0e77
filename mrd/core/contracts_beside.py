"""Tables of what is made beside the calls: pages, exports, differences to a lock, cleaned files, foreign gates."""

from __future__ import annotations

from mrd.core.contracts_clinical import YN
from mrd.core.tables import Column, Table

C = Column

PAGES = Table(
    "pages",
    1,
    "subject with a report page",
    (
        C("subject", "s", "subject", required=True),
        C("inputs", "h", "digest of everything the page was made from", required=True),
        C("artefact", "h", "digest of the page's bytes", required=True),
    ),
    key=("subject",),
)

EXPORTS = Table(
    "exports",
    1,
    "tube that was exported",
    (
        C("tube_id", "s", "subject_visit_tube", required=True),
        C("gates", "h", "digest of the gates as GatingML 2.0", required=True),
        C("events", "h", "digest of the FCS file with scores, arms and gate bits", required=True),
        C("found", "h", "digest of the gates on scores, arms and gate bits", required=True),
        C("n_events", "i", "events written", required=True, low=0),
        C("n_cells", "i", "cells among them", required=True, low=0),
        C("n_found", "s", "`;`-separated events each arm found"),
        C("inputs", "h", "digest of everything the export was made from", required=True),
    ),
    key=("tube_id",),
)

DIFFERENCES = Table(
    "differences",
    1,
    "value of a locked call that came out otherwise later",
    (
        C("subject", "s", "subject", required=True),
        C("visit", "s", "visit", required=True),
        C("column", "s", "column of calls", required=True),
        C("old", "s", "value as locked"),
        C("new", "s", "value as it came out now"),
        C("decides", "s", "the call or its side of the threshold", required=True, codes=YN),
        C("why", "s", "what changed since the lock", required=True),
    ),
    key=("subject", "visit", "column"),
)

DEIDENTIFIED = Table(
    "deidentified",
    1,
    "file that was cleaned",
    (
        C("file", "s", "name of the cleaned file", required=True),
        C("kind", "s", "what it is", required=True, codes=("fcs", "wsp")),
        C("sha256", "h", "digest of the cleaned file", required=True),
        C("data_sets", "i", "data sets it holds", required=True, low=0),
        C("n_kept", "i", "keywords kept", required=True, low=0),
        C("n_removed", "i", "keywords removed", required=True, low=0),
        C("removed", "s", "`;`-separated keywords of the FCS standard that were removed; others are counted only"),
    ),
    key=("file",),
)

GATED = Table(
    "gated",
    1,
    "gate of a file that was applied to a tube",
    (
        C("gate", "s", "path of the gate", required=True),
        C("count", "i", "events inside it and all its ancestors", required=True, low=0),
        C("share_events", "f", "count / events of the file", "1", required=True, low=0, high=1),
        C("count_told", "i", "what FlowJo wrote beside it", low=0),
        C("differs", "s", "whether the two differ by more than 1 % of the larger and 10 events", codes=YN),
    ),
    key=("gate",),
)

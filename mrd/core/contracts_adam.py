"""The analysis datasets (ADaM), each variable declared once: name, label, type, length, codes, origin, derivation."""

from __future__ import annotations

from typing import Any

from mrd.core.contracts_clinical import RESPONSES_TOLD, YN
from mrd.core.tables import Column, Table
from mrd.core.words import CALLS, SPECIMEN_TYPES

SOURCES = ("CALLS", "SUBJECTS", "RESPONSES", "EXPOSURE", "LABS", "ADVERSE_EVENTS", "DISPOSITION", "REVIEW")
"""The tables a row can come from: what SRCDOM names, and what stands before the dash in CPSPID and RSSPID."""
IMPUTED = ("D", "M")
"""What of a date was imputed: the day, or month and day."""


def _derived(name: str, kind: str, meaning: str, derivation: str, **more: Any) -> Column:
    return Column(name, kind, meaning, origin="Derived", derivation=derivation, **more)


def _assigned(name: str, kind: str, meaning: str, derivation: str, **more: Any) -> Column:
    return Column(name, kind, meaning, origin="Assigned", derivation=derivation, **more)


def _taken(name: str, kind: str, meaning: str, source: str, **more: Any) -> Column:
    return Column(name, kind, meaning, origin="Predecessor", derivation=source, **more)


STUDYID = _assigned("STUDYID", "s", "Study Identifier", "setting study", required=True, length=40)
USUBJID = _derived("USUBJID", "s", "Unique Subject Identifier", "study, a dash, subject", required=True, length=80)
SITEID = _taken("SITEID", "s", "Study Site Identifier", "subjects.site", length=40)
TRT01A = _assigned(
    "TRT01A", "s", "Actual Treatment for Period 01", "setting treatment, for subjects with a first dose", length=40
)
FASFL = _derived("FASFL", "s", "Full Analysis Set Population Flag", "Y where the subject had a first dose", codes=YN)
SAFFL = _derived("SAFFL", "s", "Safety Population Flag", "Y where the subject had a first dose", codes=YN)
PARAMCD = _assigned("PARAMCD", "s", "Parameter Code", "code of the parameter", required=True, length=8)
PARAM = _assigned("PARAM", "s", "Parameter", "name of the parameter", required=True, length=80)
PARCAT1 = _assigned("PARCAT1", "s", "Parameter Category 1", "group of the parameter", required=True, length=40)
ADY = _derived("ADY", "i", "Analysis Relative Day", "ADT - first dose, + 1 from the first dose on; there is no day 0", unit="day")
ASEQ = _derived("ASEQ", "i", "Analysis Sequence Number", "number of the row within the subject", required=True, low=1)
PIPEVER = _assigned("PIPEVER", "s", "Software Version", "version of flowmrd", required=True, length=40)
RUNID = _derived("RUNID", "s", "Digest of All Inputs and Settings", "SHA-256 over inputs and settings", required=True, length=16)
SOURCE = (
    _derived("SRCDOM", "s", "Source Data", "table the row came from", required=True, codes=SOURCES),
    _derived("SRCVAR", "s", "Source Variable", "column of SRCDOM", required=True, length=40),
    _derived("SRCSEQ", "i", "Source Sequence Number", "row of SRCDOM ordered by its key, from 1", required=True, low=1),
)
SUBJECT = (STUDYID, USUBJID, SITEID, TRT01A, FASFL, SAFFL)
RUN = (PIPEVER, RUNID)


def _criterion(number: int, what: str, rule: str) -> tuple[Column, ...]:
    head, flag = f"CRIT{number}", f"Criterion {number} Evaluation Result Flag"
    return (
        _assigned(
            head, "s", f"Analysis Criterion {number} ({what})", "its wording", label=f"Analysis Criterion {number}", length=80
        ),
        _derived(f"{head}FL", "s", flag, rule, codes=YN),
        _derived(f"{head}FN", "i", f"{flag} (N)", f"1 where {head}FL is Y, 0 where it is N", low=0, high=1),
    )


ADMRD = Table(
    "admrd",
    1,
    "subject, parameter and visit (BDS; ADaM)",
    (
        *SUBJECT,
        _derived("MRDEVLFL", "s", "MRD Evaluable Population Flag", "Y where a marrow of the window could be told", codes=YN),
        PARAMCD,
        PARAM,
        PARCAT1,
        _taken("CPSPEC", "s", "Specimen Type", "calls.specimen_type", codes=tuple(s.upper() for s in SPECIMEN_TYPES)),
        _taken("AVISIT", "s", "Analysis Visit", "calls.visit", length=40),
        _derived("AVISITN", "i", "Analysis Visit (N)", "visits numbered from 0: diagnosis first, then by name", low=0),
        _derived("ADT", "d", "Analysis Date", "calls.collected, or the day of the event behind a value per subject"),
        ADY,
        _derived("AVAL", "f", "Analysis Value", "value of the parameter; a fraction of calls times 100; 1 or 0 for Y or N"),
        _derived("AVALC", "s", "Analysis Value (C)", "value of a parameter that is text", length=40),
        _derived("BASE", "f", "Baseline Value", "AVAL of the record with ABLFL"),
        _derived("ABLFL", "s", "Baseline Record Flag", "last told marrow up to the first dose", codes=("Y",)),
        _derived(
            "ANL01FL", "s", "Record Enters the Conversion Analysis", "marrow of the window with a verdict; treated", codes=("Y",)
        ),
        _derived("ANL02FL", "s", "Marrow That Decides the Conversion", "marrow the primary rule rests on", codes=("Y",)),
        *_criterion(1, "corrected estimate", "Y where estimate and call are below, N where neither, else empty"),
        *_criterion(2, "plain count", "Y where 1000 n_laip < n_leukocytes, else N"),
        _assigned(
            "DTYPE",
            "s",
            "Derivation Type; always empty: nothing is imputed",
            "never filled",
            label="Derivation Type (never imputed)",
            length=8,
        ),
        *SOURCE,
        _derived("LOD", "f", "Limit of Detection", "100 calls.lod", unit="%", low=0),
        _derived("LLOQ", "f", "Lower Limit of Quantification", "100 calls.lloq", unit="%", low=0),
        _taken("NEVTWBC", "i", "Leukocytes", "calls.n_leukocytes", low=0),
        _taken("NEVTLAIP", "i", "Cells with the LAIP", "calls.n_laip", low=0),
        _taken("NEVTBLST", "i", "Cells in the Blast Compartment", "calls.n_blast", low=0),
        _derived(
            "HEMODFL",
            "s",
            "Hemodilution Flag; empty: not assessed",
            "Y where calls.flags hold hemodiluted, N where specimens.purity is told without it",
            codes=YN,
        ),
        _taken(
            "STORDAYS",
            "i",
            "Days from Draw to Receipt; empty: not told",
            "specimens.storage_days",
            unit="day",
            low=0,
            label="Days from Draw to Receipt",
        ),
        _taken("MRDCALL", "s", "Call", "calls.call", codes=CALLS),
        *RUN,
    ),
    key=("USUBJID", "PARAMCD", "AVISIT"),
    label="MRD by Flow Cytometry Analysis Dataset",
    structure="BASIC DATA STRUCTURE",
)  # fmt: skip
"""SRCSEQ counts the rows of the source ordered by its key (calls: subject, visit; subjects: subject), from 1."""


def _dated(name: str, label: str, fact: str) -> tuple[Column, Column]:
    return (
        _derived(name, "d", label, f"day of {fact}; a partial date is imputed by the rule of docs/endpoint.md"),
        _derived(f"{name}F", "s", f"{label} Imputation Flag", f"what of {name} was imputed", codes=IMPUTED),
    )


ADSL = Table(
    "adsl",
    1,
    "subject",
    (
        STUDYID,
        USUBJID,
        _taken("SUBJID", "s", "Subject Identifier for the Study", "subjects.subject", required=True, length=40),
        SITEID,
        _taken("AGE", "i", "Age", "subjects.age", low=0, high=130, unit="year"),
        _assigned("AGEU", "s", "Age Units", "YEARS where there is an age", codes=("YEARS",)),
        _taken("SEX", "s", "Sex", "subjects.sex", codes=("F", "M", "U")),
        _taken("RACE", "s", "Race", "subjects.race", length=60),
        _assigned("ARM", "s", "Description of Planned Arm", "setting treatment", required=True, length=40),
        _assigned("TRT01P", "s", "Planned Treatment for Period 01", "setting treatment", required=True, length=40),
        TRT01A,
        _taken("DISENTRY", "s", "Disease State on Entry", "subjects.disease_at_entry", length=20),
        FASFL,
        SAFFL,
        _derived("MRDEVLFL", "s", "MRD Evaluable Population Flag", "Y where a marrow of the window could be told", codes=YN),
        _derived("CRFL", "s", "CR or CRi Inside the Window", "Y where CRDT lies inside the window of the conversion", codes=YN),
        _derived("TRTSDT", "d", "Date of First Exposure to Treatment", "first day of induction"),
        _derived(
            "TRTEDT", "d", "Date of Last Exposure to Treatment", "last day of induction and consolidation, where it is told"
        ),
        *_dated("CRDT", "Date of First CR or CRi", "the first CR or CRi: as stated, else the first by the criteria"),
        *_dated("RELDT", "Date of Relapse", "relapse"),
        *_dated("REFRDT", "Date Refractory", "refractory disease"),
        *_dated("CONSDT", "Date of Consolidation", "consolidation"),
        *_dated("TRANSDT", "Date of Transplant", "transplant"),
        *_dated("NEWTRDT", "Date of New Therapy", "new anti-leukaemic therapy"),
        _derived("DTHFL", "s", "Subject Death Flag", "Y where there is a death", codes=("Y",)),
        *_dated("DTHDT", "Date of Death", "death"),
        _derived("LSTALVDT", "d", "Date Last Known Alive", "later of the stated day and the last complete date of any record"),
        _derived("EOSSTT", "s", "End of Study Status", "from disposition", codes=("COMPLETED", "DISCONTINUED", "ONGOING")),
        *SOURCE,
        *RUN,
    ),
    key=("USUBJID",),
    label="Subject-Level Analysis Dataset",
    structure="SUBJECT LEVEL ANALYSIS DATASET",
)

ADRS = Table(
    "adrs",
    1,
    "subject, parameter and assessment (BDS; ADaM)",
    (
        *SUBJECT,
        ASEQ,
        PARAMCD,
        PARAM,
        PARCAT1,
        _derived("ADT", "d", "Analysis Date", "responses.assessed; the assessment behind a value per subject"),
        ADY,
        _derived("AVAL", "f", "Analysis Value", "1 or 0 for a responder or not; rank of a response from 1, the best"),
        _derived("AVALC", "s", "Analysis Value (C)", "response, or Y or N", codes=(*RESPONSES_TOLD, "Y", "N")),
        _derived("ANL01FL", "s", "Record Enters the Best Response", "assessment inside the limits of BOR; treated", codes=("Y",)),
        _derived("ANL02FL", "s", "Record Enters the Response Rate", "assessment inside the limits of ORR; treated", codes=("Y",)),
        _taken("BLASTPCT", "f", "Marrow Blasts", "responses.marrow_blasts", unit="%", low=0, high=100),
        _taken("CIRCFL", "s", "Circulating Blasts Flag", "responses.circulating", codes=YN),
        _taken("EXTRAFL", "s", "Extramedullary Disease Flag", "responses.extramedullary", codes=YN),
        _taken("ANC", "f", "Neutrophils", "responses.anc", unit="10^9/L", low=0),
        _taken("PLT", "f", "Platelets", "responses.platelets", unit="10^9/L", low=0),
        _derived("REASON", "s", "Why This Value", "sentence of the criteria that decided", length=80),
        *SOURCE,
        *RUN,
    ),
    key=("USUBJID", "ASEQ"),
    label="Response Analysis Dataset",
    structure="BASIC DATA STRUCTURE",
)

ADTTE = Table(
    "adtte",
    1,
    "subject and parameter (BDS time to event; ADaM)",
    (
        *SUBJECT,
        PARAMCD,
        PARAM,
        _derived("STARTDT", "d", "Time-to-Event Origin Date for Subject", "day the endpoint starts; else the first dose"),
        _derived("ADT", "d", "Analysis Date", "day of the event or of censoring"),
        _derived("ADTF", "s", "Analysis Date Imputation Flag", "what of ADT was imputed", codes=IMPUTED),
        _derived("AVAL", "f", "Analysis Value", "ADT - STARTDT + 1", low=1, unit="day"),
        _assigned("AVALU", "s", "Analysis Value Unit", "DAYS where there is a value", codes=("DAYS",)),
        _derived(
            "CNSR",
            "i",
            "Censor",
            "0 event, 1 end of follow-up, 2 closed by another event or cut-off, 3 not started, 4 not treated",
            required=True,
            low=0,
            high=4,
        ),
        _derived("EVNTDESC", "s", "Event or Censoring Description", "name of the event or reason of censoring", length=60),
        _derived("CNSDTDSC", "s", "Censor Date Description", "what the date of censoring is", length=60),
        _derived("ANL01FL", "s", "Record Enters the Analysis", "treated, and the endpoint started", codes=("Y",)),
        *SOURCE,
        *RUN,
    ),
    key=("USUBJID", "PARAMCD"),
    label="Time-to-Event Analysis Dataset",
    structure="BASIC DATA STRUCTURE",
)

ADAE = Table(
    "adae",
    1,
    "adverse event (OCCDS; ADaM)",
    (
        *SUBJECT,
        _derived("TRTSDT", "d", "Date of First Exposure to Treatment", "ADSL.TRTSDT"),
        _taken("AESEQ", "i", "Sequence Number", "adverse_events.sequence", required=True, low=1),
        _taken("AEDECOD", "s", "Dictionary-Derived Term", "adverse_events.term (CTCAE v5.0)", required=True, length=120),
        _taken("AEBODSYS", "s", "Body System or Organ Class", "adverse_events.system", length=100),
        _taken("AETOXGR", "s", "Standard Toxicity Grade", "adverse_events.grade", codes=("1", "2", "3", "4", "5"), required=True),
        _derived("ATOXGRN", "i", "Analysis Toxicity Grade (N)", "AETOXGR as a number", required=True, low=1, high=5),
        _derived("ASTDT", "d", "Analysis Start Date", "onset; a partial one by the stated rule", required=True),
        _derived("ASTDTF", "s", "Analysis Start Date Imputation Flag", "what of ASTDT was imputed", codes=IMPUTED),
        _derived("ASTDY", "i", "Analysis Start Relative Day", "study day of ASTDT", unit="day"),
        _derived("AENDT", "d", "Analysis End Date", "end; a partial one by the stated rule"),
        _derived("AENDTF", "s", "Analysis End Date Imputation Flag", "what of AENDT was imputed", codes=IMPUTED),
        _derived("AENDY", "i", "Analysis End Relative Day", "study day of AENDT", unit="day"),
        _taken("AESER", "s", "Serious Event", "adverse_events.serious", codes=YN),
        _taken("AEREL", "s", "Causality", "adverse_events.related", codes=YN),
        _derived("TRTEMFL", "s", "Treatment Emergent Analysis Flag", "onset inside the treatment-emergent window", codes=("Y",)),
        _derived("AOCCFL", "s", "1st Occurrence within Subject Flag", "first treatment-emergent event", codes=("Y",)),
        _derived("AOCCPFL", "s", "1st Occurrence of Preferred Term Flag", "first treatment-emergent one of a term", codes=("Y",)),
        _derived("AOCCIFL", "s", "1st Max Sev./Int. Occurrence Flag", "first of the highest grade in the subject", codes=("Y",)),
        _derived("AOCCPIFL", "s", "1st Max Sev./Int. Occur Within PT Flag", "first of the highest grade in a term", codes=("Y",)),
        *SOURCE,
        *RUN,
    ),
    key=("USUBJID", "AESEQ"),
    label="Adverse Events Analysis Dataset",
    structure="OCCURRENCE DATA STRUCTURE",
)

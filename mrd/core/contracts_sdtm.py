"""The tabulation datasets (SDTM) of the flow data: CP and RS."""

from __future__ import annotations

from typing import Any

from mrd.core.contracts_adam import STUDYID, USUBJID
from mrd.core.tables import Column, Table

CP_TESTS = {
    "LAIPWBC": "LAIP Cells/CD45+ Leukocytes",
    "LAIPCT": "LAIP Cells",
    "WBCCT": "CD45+ Leukocytes",
    "BLASTCT": "Blast Compartment Cells",
    "MRDLOD": "MRD Limit of Detection",
    "MRDLLOQ": "MRD Lower Limit of Quantification",
}
"""Test codes of CP; the codelist is extensible, and has none of its own for AML blasts or a LAIP."""
RS_TESTS = {
    "MRDIND": "Minimal Residual Disease Indicator",
    "MRDRESP": "Minimal Residual Disease Response",
    "OVRLRESP": "Overall Response",
    "BESTRESP": "Best Response",
}
MRD_RESPONSES = ("QUANTIFIABLE MRD POSITIVITY", "NON-QUANTIFIABLE MRD POSITIVITY", "MRD NEGATIVITY", "NE")


def _collected(name: str, kind: str, label: str, source: str, **more: Any) -> Column:
    return Column(name, kind, label, origin="Collected", derivation=source, **more)


def _assigned(name: str, kind: str, label: str, source: str, **more: Any) -> Column:
    return Column(name, kind, label, origin="Assigned", derivation=source, **more)


def _derived(name: str, kind: str, label: str, source: str, **more: Any) -> Column:
    return Column(name, kind, label, origin="Derived", derivation=source, **more)


CP = Table(
    "cp",
    1,
    "subject, specimen and test (SDTM Findings)",
    (
        STUDYID,
        _assigned("DOMAIN", "s", "Domain Abbreviation", "CP", required=True, codes=("CP",)),
        USUBJID,
        _derived("CPSEQ", "i", "Sequence Number", "number of the row within the subject", required=True, low=1),
        _derived("CPGRPID", "s", "Group ID", "specimen and LAIP", length=60),
        _collected("CPREFID", "s", "Specimen Identifier", "calls.specimen", length=60),
        _derived("CPSPID", "s", "Sponsor-Defined Identifier", "source table, a dash, its row by key", required=True, length=40),
        _assigned("CPTESTCD", "s", "Short Name of Measurement", "code of the test", required=True, codes=tuple(CP_TESTS)),
        _assigned("CPTEST", "s", "Name of Measurement", "name of the test", required=True, codes=tuple(CP_TESTS.values())),
        _assigned("CPCAT", "s", "Category", "IMMUNOPHENOTYPING", required=True, codes=("IMMUNOPHENOTYPING",)),
        _collected("CPMRKSTR", "s", "Marker String", "phenotype of the LAIP, where it was given", length=200),
        _collected("CPORRES", "s", "Result or Finding in Original Units", "value of calls", length=20),
        _assigned("CPORRESU", "s", "Original Units", "% for a share, empty for a count", codes=("%",)),
        _assigned("CPRESSCL", "s", "Result Scale", "QUANTITATIVE", required=True, codes=("QUANTITATIVE",)),
        _assigned(
            "CPRESTYP", "s", "Result Type", "NUMBER FRACTION or NUMBER", required=True, codes=("NUMBER FRACTION", "NUMBER")
        ),
        _derived("CPSTRESC", "s", "Character Result/Finding in Std Format", "CPORRES", length=20),
        _derived("CPSTRESN", "f", "Numeric Result/Finding in Standard Units", "CPORRES as a number", low=0),
        _derived("CPSTRESU", "s", "Standard Units", "CPORRESU", codes=("%",)),
        _assigned("CPSTAT", "s", "Completion Status", "NOT DONE where there is no value", codes=("NOT DONE",)),
        _collected("CPREASND", "s", "Reason Test Not Done", "calls.reason where there is no value", length=200),
        _collected(
            "CPSPEC", "s", "Specimen Type", "calls.specimen_type", codes=("BONE MARROW", "PERIPHERAL BLOOD"), required=True
        ),
        _assigned("CPMETHOD", "s", "Method of Test", "FLOW CYTOMETRY", required=True, codes=("FLOW CYTOMETRY",)),
        _derived("CPANMETH", "s", "Analysis Method", "flowmrd and its version as the call states it", required=True, length=60),
        _derived("CPBLFL", "s", "Baseline Flag", "baseline marrow of ADMRD", codes=("Y",)),
        _derived("CPDRVFL", "s", "Derived Flag", "never filled: values are the laboratory's", codes=("Y",)),
        _derived("VISITNUM", "i", "Visit Number", "visits numbered from 0: diagnosis first", low=0),
        _collected("VISIT", "s", "Visit Name", "calls.visit", required=True, length=40),
        _derived("EPOCH", "s", "Epoch", "by the dates of treatment", codes=("SCREENING", "TREATMENT", "FOLLOW-UP")),
        _collected("CPDTC", "d", "Date/Time of Specimen Collection", "calls.collected", required=True),
        _derived("CPDY", "i", "Study Day of Specimen Collection", "study day of CPDTC", unit="day"),
    ),
    key=("USUBJID", "CPSEQ"),
    label="Cell Phenotype Findings",
    structure="FINDINGS",
)

RS = Table(
    "rs",
    1,
    "subject, assessment and test (SDTM Findings)",
    (
        STUDYID,
        _assigned("DOMAIN", "s", "Domain Abbreviation", "RS", required=True, codes=("RS",)),
        USUBJID,
        _derived("RSSEQ", "i", "Sequence Number", "number of the row within the subject", required=True, low=1),
        _derived("RSSPID", "s", "Sponsor-Defined Identifier", "source table, a dash, its row by key", required=True, length=40),
        _assigned("RSTESTCD", "s", "Assessment Short Name", "code of the test", required=True, codes=tuple(RS_TESTS)),
        _assigned("RSTEST", "s", "Assessment Name", "name of the test", required=True, codes=tuple(RS_TESTS.values())),
        _assigned("RSCAT", "s", "Category for Assessment", "guideline or criteria", required=True, length=40),
        _collected("RSORRES", "s", "Result or Finding in Original Units", "call, or response", required=True, length=40),
        _derived(
            "RSSTRESC",
            "s",
            "Character Result/Finding in Std Format",
            "call in the controlled words of MRD response; response as told",
            required=True,
            codes=(*MRD_RESPONSES, "Y", "N", "U", "CR", "CRh", "CRi", "MLFS", "PR", "NR", "RELAPSE"),
        ),
        _assigned(
            "RSEVAL", "s", "Evaluator", "who judged", required=True, codes=("LABORATORY", "REVIEWER", "INVESTIGATOR", "SPONSOR")
        ),
        _derived("RSDRVFL", "s", "Derived Flag", "Y where the response was derived by the criteria", codes=("Y",)),
        _derived("VISITNUM", "i", "Visit Number", "visits numbered from 0: diagnosis first", low=0),
        _collected("VISIT", "s", "Visit Name", "calls.visit", length=40),
        _collected("RSDTC", "d", "Date/Time of Assessment", "day of the specimen or of the assessment"),
        _derived("RSDY", "i", "Study Day of Assessment", "study day of RSDTC", unit="day"),
    ),
    key=("USUBJID", "RSSEQ"),
    label="Disease Response and Clin Classification",
    structure="FINDINGS",
)

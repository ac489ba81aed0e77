"""Write Define-XML 2.1: what every variable of a set of datasets is, from their declarations."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree as Xml

from mrd.core.tables import Column, Table
from mrd.files.atomic import whole
from mrd.files.submission import DATE_FORMAT, Stamp, has_text_dates

ODM, DEF, XLINK = "http://www.cdisc.org/ns/odm/v1.3", "http://www.cdisc.org/ns/def/v2.1", "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
TYPES = {"s": "text", "i": "integer", "f": "float", "b": "text", "d": "integer", "p": "text", "h": "text"}
STANDARDS = {"ADaM": ("ADaMIG", "1.3", "Analysis"), "SDTM": ("SDTMIG", "3.4", "Tabulation")}
"""Name, version and purpose of each standard."""
SOURCES = {"Derived": "Sponsor", "Assigned": "Sponsor", "Collected": "Vendor"}
DIGITS = "12"


def write_define(path: Path, tables: Sequence[Table], standard: str, stamp: Stamp) -> None:
    """Write the description of some datasets that lie in the same folder as transport files.

    Parameters
    ----------
    standard : ADaM or SDTM.
    """
    for prefix, uri in (("", ODM), ("def", DEF), ("xlink", XLINK)):
        Xml.register_namespace(prefix, uri)
    with whole(path) as temporary:
        root = build_define(tables, standard, stamp)
        Xml.indent(root)
        Xml.ElementTree(root).write(temporary, encoding="UTF-8", xml_declaration=True)


def build_define(tables: Sequence[Table], standard: str, stamp: Stamp) -> Xml.Element:
    """Build the document."""
    root = Xml.Element(
        f"{{{ODM}}}ODM",
        {
            "FileType": "Snapshot",
            "FileOID": f"DEF.{stamp.study}.{standard}",
            "ODMVersion": "1.3.2",
            "CreationDateTime": stamp.text,
            "Originator": "flowmrd",
            "SourceSystem": "flowmrd",
            "SourceSystemVersion": stamp.version,
            f"{{{DEF}}}Context": "Other",
        },
    )
    study = _add(root, "Study", OID=f"ST.{stamp.study}")
    names = _add(study, "GlobalVariables")
    for tag, text in (
        ("StudyName", stamp.study),
        ("StudyDescription", f"{standard} of {stamp.study}"),
        ("ProtocolName", stamp.study),
    ):
        _add(names, tag).text = text
    _add_version(study, tables, standard, stamp)
    return root


def _add_version(study: Xml.Element, tables: Sequence[Table], standard: str, stamp: Stamp) -> None:
    oid = f"MDV.{stamp.study}.{standard}"
    version = _add(study, "MetaDataVersion", OID=oid, Name=f"{stamp.study} {standard}")
    version.set(f"{{{DEF}}}DefineVersion", "2.1.0")
    guide, number, purpose = STANDARDS[standard]
    standards = Xml.SubElement(version, f"{{{DEF}}}Standards")
    told = {"OID": f"STD.{guide}", "Name": guide, "Type": "IG", "Version": number, "Status": "Final"}
    Xml.SubElement(standards, f"{{{DEF}}}Standard", told)
    for table in tables:
        _add_group(version, table, f"STD.{guide}", purpose)
    for table in tables:
        for column in table.columns:
            _add_item(version, table, column)
    for table in tables:
        for column in table.columns:
            if column.codes:
                _add_codes(version, table, column)
    for table in tables:
        for column in table.columns:
            if column.origin == "Derived":
                method = _add(
                    version, "MethodDef", OID=_oid("MT", table, column), Name=f"{table.name}.{column.name}", Type="Computation"
                )
                _describe(method, column.derivation)


def _add_group(version: Xml.Element, table: Table, guide: str, purpose: str) -> None:
    name = table.name.upper()
    group = _add(
        version,
        "ItemGroupDef",
        OID=f"IG.{name}",
        Name=name,
        Repeating="No" if table.key == ("USUBJID",) else "Yes",
        IsReferenceData="No",
        SASDatasetName=name,
        Purpose=purpose,
        **({"Domain": name} if has_text_dates(table) else {}),
    )
    for attribute, value in (
        ("Structure", f"one row per {table.row}"),
        ("StandardOID", guide),
        ("ArchiveLocationID", f"LF.{name}"),
    ):
        group.set(f"{{{DEF}}}{attribute}", value)
    _describe(group, table.label)
    for number, column in enumerate(table.columns, 1):
        keys = {"KeySequence": str(table.key.index(column.name) + 1)} if column.name in table.key else {}
        method = {"MethodOID": _oid("MT", table, column)} if column.origin == "Derived" else {}
        required = "Yes" if column.required else "No"
        _add(group, "ItemRef", ItemOID=_oid("IT", table, column), OrderNumber=str(number), Mandatory=required, **keys, **method)
    Xml.SubElement(group, f"{{{DEF}}}Class", {"Name": table.structure})
    leaf = Xml.SubElement(group, f"{{{DEF}}}leaf", {"ID": f"LF.{name}", f"{{{XLINK}}}href": f"{table.name}.xpt"})
    Xml.SubElement(leaf, f"{{{DEF}}}title").text = f"{table.name}.xpt"


def _add_item(version: Xml.Element, table: Table, column: Column) -> None:
    text_date = column.kind == "d" and has_text_dates(table)
    kind = "date" if text_date else TYPES[column.kind]
    item = _add(version, "ItemDef", OID=_oid("IT", table, column), Name=column.name, SASFieldName=column.name, DataType=kind)
    if not text_date:
        item.set("Length", "8" if column.kind in "ifd" else str(column.width))
    if column.kind == "f":
        item.set("SignificantDigits", DIGITS)
    if column.kind == "d" and not text_date:
        item.set(f"{{{DEF}}}DisplayFormat", DATE_FORMAT)
    _describe(item, column.title)
    if column.codes:
        _add(item, "CodeListRef", CodeListOID=_oid("CL", table, column))
    origin = Xml.SubElement(item, f"{{{DEF}}}Origin", {"Type": column.origin})
    if column.origin in SOURCES:
        origin.set("Source", SOURCES[column.origin])
    if column.origin != "Derived":
        _describe(origin, column.derivation)


def _add_codes(version: Xml.Element, table: Table, column: Column) -> None:
    codes = _add(
        version, "CodeList", OID=_oid("CL", table, column), Name=f"{column.title} ({table.name.upper()})", DataType="text"
    )
    codes.set(f"{{{DEF}}}IsNonStandard", "Yes")
    for number, code in enumerate(column.codes, 1):
        _add(codes, "EnumeratedItem", CodedValue=code, OrderNumber=str(number))


def _oid(kind: str, table: Table, column: Column) -> str:
    return f"{kind}.{table.name.upper()}.{column.name}"


def _add(parent: Xml.Element, tag: str, **attributes: str) -> Xml.Element:
    return Xml.SubElement(parent, f"{{{ODM}}}{tag}", attributes)


def _describe(parent: Xml.Element, text: str) -> None:
    told = _add(_add(parent, "Description"), "TranslatedText")
    told.set(f"{{{XML}}}lang", "en")
    told.text = text

"""What a subject's page says, worked out from its evidence; the template only lays it out."""

from __future__ import annotations

from pathlib import PurePath
from typing import Any

from mrd.core.words import FLAGS, OK, split_flags
from mrd.report.acquired import acquired_line
from mrd.report.adequacy import Line, adequacy_lines, distance_line
from mrd.report.course import EVENTS
from mrd.report.differs import difference_words
from mrd.report.evidence import Row, SubjectEvidence, visits_in_order
from mrd.report.gallery import Gallery, hang, wall_of
from mrd.report.looks import LOOKS
from mrd.report.maps import map_words
from mrd.report.numbers import is_told, percent, short, whole
from mrd.report.plots import View, controls_picture, course_picture, levels_picture, panel_differences, subject_views
from mrd.report.ticks import scale_name
from mrd.report.wording import advice, brief_reason, review_reasons, verdict

CLINICAL = {**EVENTS, "last_alive": "last known alive", "disease_at_entry": "disease at entry"}
LIMIT_WORDS = (
    ("lob", "LoB", "more than this is not background (95 %)"),
    ("lod", "LoD", "found with 95 % probability in this specimen"),
    ("lloq", "LLOQ", "from here on the number can be trusted"),
)


def subject_page(evidence: SubjectEvidence) -> dict[str, Any]:
    """Everything the subject template names."""
    visits, views = visits_in_order(evidence.calls), subject_views(evidence)
    gallery = hang(evidence, views)
    return {
        "symbols": gallery.symbols,
        "subject": evidence.subject,
        "settings": evidence.settings,
        "facts_told": page_facts(evidence, visits),
        "clinical": clinical_facts(evidence),
        "course": course_picture(visits, evidence.clinical, evidence.settings.threshold) if visits else "",
        "visits": [visit_section(v, evidence, views, gallery) for v in visits],
        "glossary": glossary(visits),
        "laips": [laip_section(r, evidence, views) for r in laip_rows(evidence)],
        "scales": scale_lines(views),
        "maps": [map_words(v.map) for v in views.values() if v.map is not None],
        "looks": [look for call, look in LOOKS.items() if any(v["call"] == call for v in visits)],
    }


def page_facts(evidence: SubjectEvidence, visits: list[Row]) -> list[tuple[str, str]]:
    """The facts at the head of the page."""
    versions = sorted({str(v["version"]) for v in visits})
    references = sorted({short(v["reference"]) for v in visits if is_told(v["reference"])})
    return [
        ("Study", evidence.settings.study),
        ("Panel", ", ".join(sorted({panel_title(evidence, str(p)) for p in evidence.tubes["panel"]})) or "–"),
        ("Guideline", evidence.settings.guideline),
        ("Decided on", "corrected estimate" if evidence.settings.decide_on == "mrd_fraction" else "counted share"),
        ("Software", "flowmrd " + (", ".join(versions) or "–")),
        ("Reference", ", ".join(references) or "none"),
    ]


def panel_title(evidence: SubjectEvidence, name: str) -> str:
    """A panel's own name and version; never the path it was read from."""
    panel = evidence.panels.get(name)
    return f"{panel.name} {panel.version}" if panel else PurePath(name).stem


def clinical_facts(evidence: SubjectEvidence) -> list[tuple[str, str]]:
    """The subject's clinical dates that are known."""
    told = evidence.clinical or {}
    return [(words, str(told[name])) for name, words in CLINICAL.items() if is_told(told.get(name))]


def glossary(visits: list[Row]) -> list[tuple[str, str]]:
    """The flags of some visits with their plain meaning."""
    return [(flag, FLAGS.get(flag, "")) for flag in sorted({f for v in visits for f in split_flags(v["flags"])})]


def visit_section(call: Row, evidence: SubjectEvidence, views: dict[str, View], gallery: Gallery) -> dict[str, Any]:
    """All that is said of one visit."""
    tubes = [t for t in evidence.rows["tubes"] if t["visit"] == call["visit"]]
    told = [tube_section(t, call, evidence) for t in tubes]
    arms = [a for a in evidence.rows["arms"] if a["visit"] == call["visit"]]
    return {
        "call": call,
        "look": LOOKS[str(call["call"])],
        "verdict": verdict(call, evidence.settings),
        "reason": brief_reason(call),
        "advice": advice(call, evidence.settings),
        "review": review_reasons(call),
        "flags": glossary([call]),
        "limits": [(label, call[name], meaning) for name, label, meaning in LIMIT_WORDS],
        "recall": recall_of(arms, evidence),
        "arms": [{**a, "tubes": a["tubes"].split("+")} for a in arms],
        "clusters": [c for c in evidence.rows["clusters"] if c["visit"] == call["visit"]],
        "tubes": [{**t, **tube_pictures(t["row"], evidence, views, gallery)} for t in told],
        "adequacy": visit_adequacy(call, told, evidence),
    }


def tube_pictures(tube: Row, evidence: SubjectEvidence, views: dict[str, View], gallery: Gallery) -> dict[str, Any]:
    """Where a tube's pictures are: from events to cells, and its gating beside diagnosis and controls."""
    return {"wall": wall_of(tube, evidence, views, gallery), "events": gallery.acquired.get(tube["tube_id"], ())}


def visit_adequacy(call: Row, tubes: list[dict[str, Any]], evidence: SubjectEvidence) -> list[Line]:
    """Every requirement of the visit, with each tube's distance from the reference."""
    shares = [line for t in tubes for line in population_shares(t["nodes"])]
    lines = adequacy_lines(call, [t["row"] for t in tubes], evidence.received, evidence.settings, shares=shares)
    return lines + [distance_line(t["distance"], split_flags(call["flags"])) for t in tubes if is_told(t["distance"])]


def population_shares(nodes: list[Row]) -> list[str]:
    """Shares of the leukocytes by which a reader judges dilution with blood."""
    counts = {n["node"]: int(n["count"]) for n in nodes}
    whole_count = counts.get("leukocytes")
    shown = [n for n in ("lymphocytes", "granulocytes") if whole_count and n in counts]
    return [f"{n} {percent(counts[n] / counts['leukocytes'])}" for n in shown]


def recall_of(arms: list[Row], evidence: SubjectEvidence) -> tuple[Any, Any]:
    """Recall of the deciding arm and its standard error."""
    decided = next((a for a in arms if a["decided"] == "Y"), None)
    if decided is None:
        return None, None
    burdens = evidence.rows["burdens"]
    mine = [b for b in burdens if b["tube_id"] in decided["tubes"].split("+") and b["arm"] == decided["arm"]]
    return decided["recall"], mine[0]["recall_se"] if mine else None


def tube_section(tube: Row, call: Row, evidence: SubjectEvidence) -> dict[str, Any]:
    """All that is said of one tube: gate counts, distance, provenance."""
    look = evidence.looks.get(tube["tube_id"])
    mine = [b for b in evidence.rows["burdens"] if b["tube_id"] == tube["tube_id"]]
    burden = next((b for b in mine if is_told(b["artefact"])), mine[0] if mine else None)
    return {
        **tube,
        "row": tube,
        "panel": panel_title(evidence, str(tube["panel"])),
        "failed": tube["outcome"] != OK,
        "drawn": drawn_line(look.drawn) if look else "",
        "acquired": acquired_line(look.acquired) if look and look.acquired else "",
        "nodes": gate_tree([n for n in evidence.rows["qc"] if n["tube_id"] == tube["tube_id"]]),
        "distance": burden["distance"] if burden else None,
        "provenance": provenance_lines(tube, call, evidence, burden),
    }


def gate_tree(nodes: list[Row]) -> list[Row]:
    """Gate nodes with their depth in the tree."""
    depth: dict[str, int] = {}
    for node in nodes:
        depth[node["node"]] = depth.get(node["parent"], -1) + 1
    return [{**node, "depth": depth[node["node"]]} for node in nodes]


def provenance_lines(tube: Row, call: Row, evidence: SubjectEvidence, burden: Row | None) -> list[tuple[str, str]]:
    """Digests that tell this result from any other, shortened."""
    look = evidence.looks.get(tube["tube_id"])
    told = dict(look.provenance) if look else {}
    inputs = told.get("inputs", {})
    return [
        ("FCS file", short(inputs.get("fcs"))),
        ("read as it stands, or repaired", tube["repairs"] or tube["reading"] or "–"),
        ("panel", short(inputs.get("panel"))),
        ("cells", short(tube["artefact"])),
        ("reference", short(call["reference"])),
        ("LAIP", short(call["laip"])),
        ("scores", short(burden["artefact"]) if burden else "–"),
        ("prepared by", f"flowmrd {told['version']}, code {short(told.get('code'))}" if told else "–"),
    ]


def laip_rows(evidence: SubjectEvidence) -> list[Row]:
    """The subject's LAIPs, one per panel."""
    return [r for r in evidence.rows["laips"] if r["arm"] == "laip"]


def laip_section(laip: Row, evidence: SubjectEvidence, views: dict[str, View]) -> dict[str, Any]:
    """All that is said of one LAIP."""
    controls = [r for r in evidence.rows["limits"] if (r["panel"], r["arm"]) == (laip["panel"], "laip")]
    threshold, title = evidence.settings.threshold, panel_title(evidence, str(laip["panel"]))
    number, seen = [r["panel"] for r in laip_rows(evidence)].index(laip["panel"]), laip["panel"] in views
    name = f"controls{number}"
    return {
        **laip,
        "panel": title,
        "controls": [(k, sum(r["control_kind"] == k for r in controls)) for k in ("normal", "regenerating")],
        "picture": controls_picture(controls, threshold, name) if controls else "",
        "flags": glossary([laip]),
        "differs": difference_words(panel_differences(evidence, laip["panel"])) if seen else [],
        "levels": levels_picture(evidence, laip["panel"], f"levels{number}") if seen else "",
    }


def scale_lines(views: dict[str, View]) -> list[str]:
    """How the axes of the scatter plots are scaled, in one line per panel."""
    lines = []
    for view in views.values():
        shown = dict.fromkeys(c for step in view.steps for c in step.pair if c in view.panel.channels)
        scales: dict[str, list[str]] = {}
        for channel in shown:
            scales.setdefault(scale_name(view.panel.channels[channel]), []).append(channel)
        lines.append("; ".join(f"{', '.join(names)}: {scale}" for scale, names in scales.items()))
    return lines


def drawn_line(drawn: Any) -> str:
    """What is drawn of a tube, in one sentence."""
    total = drawn.n_leukocytes
    some = f"{whole(len(drawn.leukocytes))} of {whole(total)}" if len(drawn.leukocytes) < total else f"All {whole(total)}"
    background = f"{some} other leukocytes drawn."
    if drawn.found is None:
        return f"{background} No arm looked for leukaemic cells in this tube."
    if not drawn.n_found:
        return f"No cell was found. {background}"
    part = f"{whole(len(drawn.found))} of {whole(drawn.n_found)}" if len(drawn.found) < drawn.n_found else whole(drawn.n_found)
    share = 100 * drawn.n_found_blast / drawn.n_found
    return f"{part} found cells drawn, {share:.0f} % of the found cells in the blast gate. {background}"

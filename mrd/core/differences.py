"""Locked calls against those of a later run: what differs, and what of the making changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

KEY = ["subject", "visit"]
DECIDES = ("call", "below_threshold")
PATHS = ("reference", "laip_folder", "results", "samples", "subjects", "device", "batch_tubes", "drawn_laips")
"""Settings that say where things are, not what is done."""


def keep_locked(locked: pd.DataFrame, fresh: pd.DataFrame) -> pd.DataFrame:
    """Calls with every locked row as it was locked; visits that the lock does not know come after, as called now."""
    known = set(_keys(locked))
    new = fresh[[k not in known for k in _keys(fresh)]]
    return pd.concat([locked, new], ignore_index=True).sort_values(KEY, kind="stable", ignore_index=True)


def differences(locked: pd.DataFrame, fresh: pd.DataFrame, why: Mapping[tuple[str, str], str]) -> list[dict[str, Any]]:
    """A row for each value of a locked call that comes out otherwise now; text frames, empty cells missing.

    Parameters
    ----------
    why : what changed behind each visit.
    """
    now = dict(zip(_keys(fresh), fresh.to_dict("records"), strict=True))
    rows = []
    for key, old in zip(_keys(locked), locked.to_dict("records"), strict=True):
        head = {"subject": key[0], "visit": key[1], "why": why.get(key, "")}
        if key not in now:
            rows.append(
                {**head, "column": "call", "old": _text(old["call"]), "new": None, "decides": "Y", "why": "no longer called"}
            )
            continue
        for column in locked.columns:
            before, after = _text(old[column]), _text(now[key].get(column))
            if before != after:
                rows.append(
                    {**head, "column": str(column), "old": before, "new": after, "decides": "Y" if column in DECIDES else "N"}
                )
    return rows


def reasons(then: Mapping[str, Any], now: Mapping[str, Any], tubes: Sequence[str]) -> str:
    """What changed between two runs that can have moved the calls of a visit with these tubes, in words."""
    told = [*_settings(then["settings"], now["settings"]), *_named("code of", then["code"], now["code"])]
    told += [f"version {then['version']} -> {now['version']}"] if then["version"] != now["version"] else []
    told += [f"{n} {a} -> {b}" for n, a, b in _changed(then["libraries"], now["libraries"])]
    told += [*_named("panel", then["panels"], now["panels"])]
    told += _named("LAIPs that the lab drew:", then.get("drawn", {}), now.get("drawn", {}))
    mine = [{t: d for t, d in run["fcs"].items() if t in tubes} for run in (then, now)]
    told += list(_named("FCS file of", *mine))
    return "; ".join(told) or "nothing that the lock knows of"


def _settings(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    for name, old, new in _changed(then, now):
        if name not in PATHS:
            yield f"setting {name} {old} -> {new}"


def _named(what: str, then: Mapping[str, str], now: Mapping[str, str]) -> Iterator[str]:
    for name, _, _ in _changed(then, now):
        yield f"{what} {name}"


def _changed(then: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in sorted({*then, *now}):
        if then.get(name) != now.get(name):
            yield name, then.get(name, "none"), now.get(name, "none")


def _keys(frame: pd.DataFrame) -> list[tuple[str, str]]:
    return [(str(s), str(v)) for s, v in zip(frame["subject"], frame["visit"], strict=True)]


def _text(value: Any) -> str | None:
    return None if value is None or pd.isna(value) else str(value)

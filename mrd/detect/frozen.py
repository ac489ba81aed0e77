"""Frozen states to plain arrays and back: what lies in a model file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from mrd.detect.align import Adapted
from mrd.detect.laip import Laip
from mrd.detect.learned import Classifier
from mrd.detect.mixture import Mixture
from mrd.detect.reference import Reference

Arrays = dict[str, NDArray[Any]]


def mixture_arrays(mixture: Mixture, prefix: str = "") -> Arrays:
    """A mixture as arrays named with a prefix."""
    parts = {"weights": mixture.weights, "means": mixture.means, "spreads": mixture.spreads}
    arrays: Arrays = {prefix + n: t.cpu().numpy() for n, t in parts.items()}
    return {**arrays, prefix + "tails": np.array([mixture.tails])}


def mixture_from(arrays: Mapping[str, NDArray[Any]], device: torch.device, prefix: str = "") -> Mixture:
    """A mixture from its arrays."""
    weights, means, spreads = (torch.from_numpy(arrays[prefix + n]).to(device) for n in ("weights", "means", "spreads"))
    return Mixture(weights, means, spreads, float(arrays[prefix + "tails"][0]))


def reference_arrays(reference: Reference, controls: Sequence[Adapted]) -> Arrays:
    """A reference and the adaptations of its controls."""
    stacked = {
        "control_weights": torch.stack([c.mixture.weights for c in controls]),
        "control_means": torch.stack([c.mixture.means for c in controls]),
        "control_spreads": torch.stack([c.mixture.spreads for c in controls]),
        "control_shift": torch.stack([c.shift for c in controls]),
        "largest": reference.largest,
    }
    return {**mixture_arrays(reference.mixture), **{n: t.cpu().numpy() for n, t in stacked.items()}}


def reference_from(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> tuple[Reference, list[Adapted]]:
    """A reference and the adaptations of its controls, from arrays."""
    mixture = mixture_from(arrays, device)
    parts = [torch.from_numpy(arrays["control_" + n]).to(device) for n in ("weights", "means", "spreads", "shift")]
    controls = [Adapted(Mixture(w, m, s, mixture.tails), shift, 0.0) for w, m, s, shift in zip(*parts, strict=True)]
    return Reference(mixture, torch.from_numpy(arrays["largest"]).to(device)), controls


def adapted_arrays(adapted: Adapted, prefix: str = "") -> Arrays:
    """A tube's normal marrow as arrays named with a prefix."""
    more = {"shift": adapted.shift.cpu().numpy(), "share": np.array([adapted.share])}
    return {**mixture_arrays(adapted.mixture, prefix), **{prefix + n: a for n, a in more.items()}}


def adapted_from(arrays: Mapping[str, NDArray[Any]], device: torch.device, prefix: str = "") -> Adapted:
    """A tube's normal marrow from its arrays."""
    shift = torch.from_numpy(arrays[prefix + "shift"]).to(device)
    return Adapted(mixture_from(arrays, device, prefix), shift, float(arrays[prefix + "share"][0]))


def laip_arrays(laip: Laip) -> Arrays:
    """A LAIP as arrays."""
    return {**mixture_arrays(laip.mixture), "share": np.array([laip.share])}


def laip_from(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> Laip:
    """A LAIP from its arrays."""
    return Laip(mixture_from(arrays, device), float(arrays["share"][0]))


def classifier_arrays(classifier: Classifier) -> Arrays:
    """A classifier as arrays, beside a LAIP's."""
    named = {"net_middle": classifier.middle, "net_spread": classifier.spread}
    for i, (weights, offsets) in enumerate(classifier.layers):
        named |= {f"net_weights_{i}": weights, f"net_offsets_{i}": offsets}
    return {n: t.cpu().numpy() for n, t in named.items()}


def classifier_from(arrays: Mapping[str, NDArray[Any]], device: torch.device) -> Classifier | None:
    """A classifier from arrays; None where they hold none."""
    if "net_middle" not in arrays:
        return None
    told = {n: torch.from_numpy(a).to(device) for n, a in arrays.items() if n.startswith("net_")}
    count = sum(n.startswith("net_weights_") for n in told)
    layers = tuple((told[f"net_weights_{i}"], told[f"net_offsets_{i}"]) for i in range(count))
    return Classifier(told["net_middle"], told["net_spread"], layers)

"""A CUDA device that is only said to be one: tensors on it are worked on by the CPU, and no other tensor may be mixed in.

It shows that every tensor of a computation lies where it should, on machines without a GPU; numbers, memory and speed of a
real device it does not show. It has no generator of random numbers of its own, and refuses the CPU's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

DEVICE = torch.device("cuda")
MOVES = {Tensor.to, Tensor.cpu, Tensor.cuda}
INDEXED = {Tensor.__getitem__, Tensor.__setitem__}
"""A real device takes an index from the CPU."""


class There(Tensor):
    """A tensor that is said to lie on the device."""


class _Device(TorchFunctionMode):
    """Every call of torch: what is made for the device is said to be there, and mixed places are refused as CUDA does."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        given = list(_tensors((args, kwargs)))
        there = [t for t in given if isinstance(t, There)]
        if func == Tensor.device.__get__:
            return DEVICE if there else torch.device("cpu")
        if func == Tensor.is_cuda.__get__:
            return bool(there)
        if func in (Tensor.numpy, Tensor.__array__) and there:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        asked, args, kwargs = _asked(func, args, kwargs)
        if kwargs.get("generator") is not None and (there or asked == "cuda"):
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        if there and func not in MOVES:
            held = [args[0], *args[2:]] if func in INDEXED else given
            strayed = [t for t in _tensors(held) if not isinstance(t, There) and t.dim()]
            if strayed:
                raise RuntimeError(f"tensors on cuda:0 and cpu in {func}, of shapes {[tuple(t.shape) for t in given]}")
        with torch._C.DisableTorchFunctionSubclass():
            out = func(*args, **kwargs)
        home = asked == "cpu" if func in MOVES and asked else not (there or asked == "cuda")
        return _placed(out, home=home, given=given)


def _asked(func: Any, args: Any, kwargs: dict[str, Any]) -> tuple[str, Any, dict[str, Any]]:
    """Type of the device that a call asks for, or none, and its arguments with the CPU in its place."""
    cpu, asked = torch.device("cpu"), ""
    if func == Tensor.cpu or func == Tensor.cuda:
        return func.__name__, args, kwargs
    told = kwargs.get("device")
    if told is not None:
        asked, kwargs = torch.device(told).type, {**kwargs, "device": cpu}
    if func == Tensor.to and len(args) > 1 and not isinstance(args[1], torch.dtype):
        other = args[1]
        asked = "cuda" if isinstance(other, There) else "cpu" if isinstance(other, Tensor) else torch.device(other).type
        args = (args[0], cpu, *args[2:])
    return asked, args, kwargs


def _placed(out: Any, *, home: bool, given: list[Tensor]) -> Any:
    if isinstance(out, Tensor):
        if any(out is t for t in given):
            return out if isinstance(out, There) is not home else out.as_subclass(Tensor if home else There)
        return out.as_subclass(Tensor if home else There)
    if isinstance(out, list | tuple) and any(isinstance(x, Tensor) for x in out):
        parts = [_placed(x, home=home, given=given) for x in out]
        return type(out)(parts)
    return out


def _tensors(values: Any) -> Iterator[Tensor]:
    if isinstance(values, Tensor):
        yield values
    elif isinstance(values, dict):
        yield from _tensors(list(values.values()))
    elif isinstance(values, list | tuple):
        for value in values:
            yield from _tensors(value)


@contextmanager
def pretended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine with such a device."""
    with monkeypatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: True)
        with _Device():
            yield

"""A library as others write them: it brings along what a peer must not reach, and what a peer may use."""

from __future__ import annotations

import collections.abc
import functools
import logging
import os
import sys
import types
from collections.abc import Callable, Generator, Iterator
from enum import Enum
from logging import getLogger
from os import environ, system
from subprocess import Popen
from typing import Any, ClassVar, TypeVar

from .inner import Engine, start

__all__ = ["Color", "Engine", "Record", "Shape", "double", "engine", "start"]

_Method = TypeVar("_Method", bound=Callable[..., Any])

abstract = collections.abc
log = getLogger("attacked")
run_later = functools.partial(system, "true")
run_twice = functools.partial(functools.partial(system), "true")
remembered = functools.lru_cache(eval)
handlers = {"run": system, "open": Popen, "module": os, "text": "text", "deep": [{"run": system}]}
everything = [os, sys.modules]
bound = types.MethodType(system, "true")  # a foreign function that looks like a method of a text
code = (lambda: None).__code__


def double(value: int) -> int:
    """Return twice the value."""
    return 2 * value


@functools.lru_cache
def cubed(value: int) -> int:
    """Return the cube, from memory if it can."""
    return value**3


def failed() -> Exception:
    """Return an exception with its traceback."""
    try:
        raise FailureError("as expected")
    except FailureError as exc:
        return exc


def counting() -> Iterator[int]:
    """Yield."""
    yield 1


def applied(function: Callable[..., Any], *args: Any) -> Any:
    """Call what is given."""
    return function(*args)


class FailureError(Exception):
    """Something that this library raises."""


class Color(Enum):
    """An enumeration."""

    RED = "red"

    def shown(self) -> str:
        return f"<{self.value}>"


class Meta(type):
    """A metaclass with a method of its own."""

    def described(cls) -> str:
        return f"class {cls.__name__}"


class Shape(metaclass=Meta):
    """What has one of everything that may be used."""

    sides = 4
    helper = os
    launch = system
    process = Popen
    square = functools.partialmethod(lambda self, power: self.size**power, 2)

    def __init__(self, size: int = 2) -> None:
        self.size = size
        self.log = log
        self.say = log.info
        self.os = os
        self.run = system
        self.later = run_later
        self.forged = types.MethodType(system, self)
        self.join = "-".join
        self.walk = "{0.__init__}".format
        self.items = [1, 2, 3]
        self._hidden = "hidden"

    def area(self) -> int:
        return self.size**2

    @functools.wraps(system)
    def wrapped(self) -> str:
        return "wrapped"

    @classmethod
    def unit(cls) -> Shape:
        return cls(1)

    @staticmethod
    def angle(sides: int) -> int:
        return 180 - 360 // sides

    @property
    def diagonal(self) -> float:
        return self.size * 1.5

    @property
    def module(self) -> types.ModuleType:
        return os

    @property
    def runner(self) -> Callable[..., Any]:
        return system

    @functools.cached_property
    def cached(self) -> list[int]:
        return [self.size]

    def __call__(self, factor: int = 1) -> int:
        return self.size * factor

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, key: int) -> int:
        return key * self.size

    def __iter__(self) -> Iterator[int]:
        return iter(range(self.size))

    def __contains__(self, item: object) -> bool:
        return item == self.size


class Square(Shape):
    """A shape that inherits everything."""


class Text(str):
    """A text that inherits `format`."""


class Mapped(dict[str, Any]):
    """A dict with a method of its own."""

    def total(self) -> int:
        return sum(self.values())


class Registered(logging.Handler):
    """A class of this library with inherited methods of another one."""


class Record:
    """What a plugin of the tests vouches for, with one method and no other."""

    kinds = ("good", "bad")
    registry: ClassVar[dict[str, str]] = {"shared": "by all"}

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def get(self, name: str) -> Any:
        return getattr(self, name)

    @classmethod
    def empty(cls) -> Record:
        return cls()

    @staticmethod
    def joined(*texts: str) -> str:
        return "".join(texts)

    def save(self, path: str) -> None:
        raise AssertionError(f"nobody vouches for this: {path}")

    def __getitem__(self, key: str) -> Any:
        return self.__dict__[key]

    def keys(self) -> list[str]:
        return [*self.__dict__]


class DetailedRecord(Record):
    """Nobody vouches for this class."""


class Tool:
    """What is called, and has a plugin's function called instead."""

    def __call__(self, *args: Any) -> Any:
        raise AssertionError("called without its stand-in")


def checked(ctx: Any, tool: Tool, /, *args: Any) -> str:
    """Stand in for calling a tool."""
    return f"checked {args}"


def made(ctx: Any, /, name: str) -> Tool:
    """Stand in for making a tool."""
    return Tool()


def counted(ctx: Any, /, most: int) -> Generator[int, None, str]:
    """Stand in for making a tool, and take a while."""
    yield from range(most)
    return f"counted to {most}"


async def later(value: Any) -> Any:
    """Return the value from a coroutine."""
    return value


def interrupted() -> None:
    """Raise what is no `Exception`."""
    raise GeneratorExit


engine = Engine("shared")
ENVIRONMENT = environ

"""Reading ahead: the next piece arrives while the one before it is worked on."""

from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T]) -> Generator[T, None, None]:
    """The items, each fetched by a thread while the one before is used. What `items` raises is raised in its place."""
    with ThreadPoolExecutor(1) as thread:
        waiting = thread.submit(_next, items)
        while found := waiting.result():
            waiting = thread.submit(_next, items)
            yield found[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    # Not next() alone: a StopIteration cannot be handed on by a thread.
    for item in items:
        return (item,)
    return None

"""Builds run beside each other only where both fit into memory."""

import threading

from lab.toolchain.memory import MemoryBudget, collector
from lab.toolchain.pins import PROXMOXVE, PULUMI


def reserve_beside_another(free: int) -> list[str]:
    """Reserve 1000 MB twice within `free`; what the second did while the first had its share."""
    budget = MemoryBudget(free)
    seen: list[str] = []
    first_may_end = threading.Event()
    first_has = threading.Event()

    def first() -> None:
        with budget.reserve(1000, waits=lambda: seen.append("the first waited")):
            first_has.set()
            first_may_end.wait(10)

    def waits() -> None:
        seen.append("waited")
        first_may_end.set()

    thread = threading.Thread(target=first)
    thread.start()
    assert first_has.wait(10)
    with budget.reserve(1000, waits=waits):
        seen.append("ran")
    first_may_end.set()
    thread.join()
    return seen


def test_two_builds_overlap_where_both_fit() -> None:
    assert reserve_beside_another(2000) == ["ran"]


def test_two_builds_take_turns_where_they_do_not_fit_together() -> None:
    assert reserve_beside_another(1999) == ["waited", "ran"]


def test_one_build_alone_is_tried_however_little_memory_there_is() -> None:
    assert reserve_beside_another(0) == ["waited", "ran"]


def test_builds_take_more_memory_only_where_it_fits_beside_all_of_them() -> None:
    collected_twice = PULUMI.peak_megabytes + PROXMOXVE.peak_megabytes
    assert collector(int(collected_twice * 5 / 2)) == {}
    assert collector(24_000) != {}

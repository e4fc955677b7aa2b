"""Scenarios, one a file. Each has `measure(size)`, which runs in a fresh process and returns what it measured."""

from __future__ import annotations

#: Name of each scenario, in the order of the table, and how often it is done afresh for a full measurement.
GOES = {
    "imports": 3,
    "hello": 3,
    "commands": 3,
    "sequential": 5,
    "submit": 5,
    "dag": 5,
    "durable": 5,
    "fan_out": 3,
    "complete": 1,
    "fixture": 3,
    "recovery": 3,
    "hashing": 1,
    "cached": 3,
}

"""A policy and a file of tests, for the command ``test``."""

from __future__ import annotations

HOUSE = """\
policy: house
extends: [baseline]
vars: {sync_floor: 5}
rules:
  - id: runs
    severity: high
    when: {schedule_type: auto}
    assert: {paused: false}
    tests:
      - {given: {paused: true}, expect: fail}
      - {given: {paused: false}, expect: pass}
      - {given: {schedule_type: manual}, expect: skip}
"""


WRONG = "      - {given: {paused: true}, expect: pass}\n"


CASES = """\
tests:
  - name: five minutes are allowed here
    given: {sync_frequency: 5}
    expect: {sync-frequency-bounds: pass, runs: pass}
"""

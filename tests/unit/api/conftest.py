"""A walk past three routers, as a scenario of the Python interface."""

from __future__ import annotations

import copy

import pytest

LINK = {"rate": "100Mbit/s", "delay": "5ms", "buffer_packets": 100}
WALK = {
    "name": "walk",
    "duration": "3s",
    "correspondent": [{"name": "cn"}],
    "home_agent": {"name": "ha"},
    "link": [{"between": ["cn", "ha"], **LINK}],
    "routers": {"names": ["ar0", "ar1"], "wired_to": "ha", "wired": LINK, "neighbours": LINK, "cell": LINK},
    "traffic": [{"interval": "10ms", "size_bytes": 200, "phase": "10ms"}],
    "movement": {"associations": "walk.csv"},
}
"""With a packet every 10 ms, of which the first is sent at 10 ms."""


@pytest.fixture
def walk(tmp_path, monkeypatch):
    """Return the tables of the scenario; its movement is in the working directory. The node moves at 0.9 s and 1.6 s."""
    (tmp_path / "walk.csv").write_text(
        "mobile,router,up_s,down_s,predict_s,going_down_s\nmn,ar0,0,0.8,0.5,0.7\nmn,ar1,0.9,1.5,1.2,1.4\nmn,ar0,1.6,,,\n"
    )
    monkeypatch.chdir(tmp_path)
    return copy.deepcopy(WALK)

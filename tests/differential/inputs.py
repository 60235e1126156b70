"""Random studies from files: captures, movement files and a scenario on disk, and the times at which packets must be sent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import zstandard

from engine.quantities import FOREVER
from engine.rng import combine, name_key, random_word
from handoff.protocol.setup import Setup
from handoff.scenario import load_scenario
from handoff.workload.build import build_setup
from tests.conformance.random_towns import Town
from tests.unit.workload.capture_packets import Packet, Registration, pcap, pcapng
from tests.unit.workload.replay_reference import ReplayedFlow, replay_flows

S, MS = 10**12, 10**9  # ps
EPOCH_NS = 1_700_000_000 * 10**9
STEP_NS = 4_000_001  # the least time between two packets of a capture that are not at one instant
LASTS_NS = 900_000_000
PHONES = ("10.0.2.2", "10.0.2.3")
SERVERS = ("10.0.1.2", "10.0.1.3", "10.0.9.1")
ROUTERS = ("r0", "r1", "r2")
FIRST = {
    "associations": "n0", "fcd": "n0", "setdest": "node0", "bonnmotion": "node0", "gpx": "track0", "registrations": "10.9.0.0",
}  # fmt: skip
"""A mobile node of each kind of movement file that is certainly there."""
COMPRESS: tuple[Callable[[bytes], bytes], ...] = (bytes, bytes, gzip.compress, zstandard.compress)
DURATION_S = 2


class Study:
    """Study number ``number``, written to ``folder``.

    Attributes
    ----------
    path : Path
        Scenario file.
    captures : list of list of Packet
        Packets of the captures.
    traffic : dict
        Keys of the replay, windows in ns.
    """

    def __init__(self, folder: Path, number: int) -> None:
        self.folder, self.number = folder, number
        self.dice = dice = Random(f"study {number}")
        self.ties = number % 2 == 1
        self.step_ns = 5_000_000 if self.ties else STEP_NS
        self.captures = [self._packets() for _ in range(dice.choice((1, 1, 2)))]
        self.names = [self._written(f"{k}.pcap", packets) for k, packets in enumerate(self.captures)]
        self.kind = list(FIRST)[number % len(FIRST)]
        movement = getattr(self, f"_{self.kind}")()
        self.traffic = self._traffic()
        self.path = folder / "study.toml"
        text = self._scenario(movement)
        self.path.write_text(text)
        self.is_ring = number % 3 == 0 and self.setup().network.mobile_count > 1  # the correspondents are mobile nodes
        if self.is_ring:
            self.path.write_text(text.replace('"mobile_address"', '"mobile_correspondent" = "ring", "mobile_address"', 1))

    def setup(self) -> Setup:
        """Build the study with the product."""
        return build_setup(load_scenario(self.path)[0], self.path, self.number)

    # -- captures ------------------------------------------------------------------------------------------------------------
    def _packets(self) -> list[Packet]:
        """Draw conversations with one phone on a time grid, partly out of order; the first packet belongs to no mobile node."""
        dice = self.dice
        began = EPOCH_NS + dice.randrange(50) * self.step_ns
        found = [Packet(began, ("10.0.7.7", 5), ("10.0.7.8", 5), 17, 99)]
        for _ in range(dice.randint(2, 5)):
            phone, server = (dice.choice(PHONES), dice.randint(1, 2)), (dice.choice(SERVERS), dice.choice((53, 80, 5004)))
            protocol, length = dice.choice((6, 17)), dice.choice((100, 400)) if self.ties else 0
            for _ in range(dice.choice((2, 5, 40, 40, 80))):
                ends = (phone, server) if dice.random() < 0.35 else (server, phone)
                time = began + dice.randrange(LASTS_NS // self.step_ns) * self.step_ns
                found.append(Packet(time, *ends, protocol, length or dice.randint(40, 1400)))
        if dice.random() < 0.7:
            found.sort(key=lambda p: p.time_ns)
        return found

    def _written(self, name: str, packets: list[Packet]) -> str:
        content = self.dice.choice((pcap, pcapng))(packets)
        (self.folder / name).write_bytes(self.dice.choice(COMPRESS)(content))
        return name

    def _window(self, most_ns: int) -> tuple[int, int | None]:
        begin = self.dice.randrange(0, most_ns, self.step_ns)
        return begin, None if self.dice.random() < 0.4 else begin + self.dice.randrange(self.step_ns, LASTS_NS)

    def _filter(self) -> dict[str, Any]:
        dice = self.dice
        conditions: dict[str, Any] = {
            "protocol": dice.choice((6, 17)), "direction": dice.choice(("down", "up")), "port": dice.choice((53, 80, 5004)),
            "address": dice.choice((*SERVERS, "10.0.1.0/24")), "source": dice.choice((*PHONES, "10.0.1.0/24")),
            "min_packets": dice.randint(2, 30), "min_bytes": dice.randint(500, 9000), "begins": self._window(LASTS_NS // 3),
            "min_duration": dice.randrange(LASTS_NS), "destination_port": dice.choice((1, 80)),
        }  # fmt: skip
        return {name: conditions[name] for name in dice.sample(list(conditions), dice.choice((1, 1, 2)))}

    def _traffic(self) -> dict[str, Any]:
        """Draw replay keys that select at least one packet."""
        dice = self.dice
        for _ in range(100):
            chances = {
                "clip": lambda: self._window(LASTS_NS // 3),
                "select": lambda: [self._filter() for _ in range(dice.randint(1, 2))],
                "exclude": lambda: [self._filter()],
                "clip_flows": lambda: self._window(LASTS_NS // 4),
                "pace": lambda: dice.choice(("2", "1/2", "0.7", "7/3")),
                "loop": lambda: dice.random() < 0.5,
                "origin": lambda: "stream",
            }
            keys: dict[str, Any] = {name: value() for name, value in chances.items() if dice.random() < 0.25}
            keys["mobile_address"] = dice.choice((*PHONES, "10.0.2.0/24"))
            if len(self.captures) > 1:
                keys["clocks"] = dice.choice(("absolute", "each"))
            if flows := replay_flows(self.captures, keys):
                return keys | self._assignment(flows)
        raise AssertionError("nothing to replay")

    def _assignment(self, flows: list[ReplayedFlow]) -> dict[str, Any]:
        dice = self.dice
        keys = {"shift": dice.choice((0, dice.randrange(S))), "phase": dice.choice((0, dice.randrange(S)))}
        kind = dice.choice(("robin", "hash", "table"))
        if kind == "hash":
            return keys | {"assign": "hash"}
        if kind == "table":
            return keys | {"table": {FIRST[self.kind]: [f.name for f in dice.sample(flows, dice.randint(1, len(flows)))]}}
        return keys | {"flows_per_mobile": dice.choice((1, min(2, len(flows)), "all"))}

    def sent(self, setup: Setup) -> dict[tuple[str, str, bool], list[int]]:
        """Return the send times of each flow's packets, by names of flow and mobile node and direction."""
        network, keys = setup.network, self.traffic
        flows = replay_flows(self.captures, keys)
        mobiles = [network.mobile_name(m) for m in range(network.mobile_count)]
        chosen: list[tuple[ReplayedFlow, str]] = []
        if "table" in keys:
            chosen = [(f, mobile) for mobile, names in keys["table"].items() for f in flows if f.name in names]
        elif keys.get("assign") == "hash":
            chosen = [(f, max(mobiles, key=lambda m: combine(name_key(f.name), name_key(m)))) for f in flows]
        else:
            each = len(flows) if keys["flows_per_mobile"] == "all" else keys["flows_per_mobile"]
            chosen = [(flows[(i * each + j) % len(flows)], m) for i, m in enumerate(mobiles) for j in range(each)]
        found = {}
        for flow, mobile in chosen:
            peer = mobiles[(mobiles.index(mobile) + 1) % len(mobiles)]
            begin, end = 0, FOREVER
            for who in (mobile, peer) if self.is_ring else (mobile,):
                here = setup.attachments.mobile == mobiles.index(who)
                begin = max(begin, int(setup.attachments.up_ps[here].min()))
                end = min(end, int(setup.attachments.down_ps[here].max()))
            name = "*" if keys.get("origin") == "stream" else flow.name
            entity = combine(combine(name_key(name), name_key(peer if self.is_ring else "cn")), name_key(mobile))
            phase = random_word(self.number, 1000, entity, 0) * keys["phase"] >> 64
            for up in (False, True):
                times = flow.until(begin + keys["shift"] + phase, min(end, DURATION_S * S), not up)
                if any(way != up for _, way, _ in flow.sent):
                    found[flow.name, mobile, up] = [t for t, _ in times]
        return found

    # -- movement ------------------------------------------------------------------------------------------------------------
    def _associations(self) -> dict[str, Any]:
        """Draw consecutive associations with gaps or overlaps."""
        dice = self.dice
        lines = ["mobile,router,up_s,down_s,predict_s,going_down_s"]
        for n in range(dice.randint(1, 4)):
            at, up, gone = dice.choice(ROUTERS), dice.choice((0, 0, 300)), dict.fromkeys(ROUTERS, -1)
            while True:
                down = up + dice.randint(60, 900)
                warn = dice.randint(max(up, down - 60), down)
                predict = dice.randint(max(up, warn - 150), warn)
                stays = down > 1000 * DURATION_S
                texts = ["", "", ""] if stays else [f"{t / 1000}" for t in (down, predict, warn)]
                lines.append(",".join([f"n{n}", at, f"{up / 1000}", *texts]))
                if stays:
                    break
                gone[at] = down
                at = dice.choice([r for r in ROUTERS if r != at])
                up = max(dice.randint(down - 60, down + 60), gone[at] + 1, up + 1)
        (self.folder / "moves.csv").write_text("\n".join(lines) + "\n")
        return {"associations": "moves.csv"}

    def _ways(self) -> dict[str, list[tuple[float, int, int]]]:
        """Draw (time, x, y) of a few nodes that move between the routers."""
        dice = self.dice
        times = [t / 1000 for t in range(0, 1000 * DURATION_S + 251, 250)]
        nodes = range(dice.randint(2, 4))
        return {f"n{n}": [(t, dice.randint(0, 300), dice.randint(0, 60)) for t in times] for n in nodes}

    def _trace(self, name: str, text: str, **keys: Any) -> dict[str, Any]:
        (self.folder / name).write_bytes(self.dice.choice(COMPRESS)(text.encode()))
        return {"trace": name, **keys}

    def _fcd(self) -> dict[str, Any]:
        ways, text = self._ways(), "<fcd-export>\n"
        for k, (t, _, _) in enumerate(ways["n0"]):
            here = "".join(f'<vehicle id="{n}" x="{way[k][1]}.00" y="{way[k][2]}.5"/>' for n, way in ways.items())
            text += f'<timestep time="{t:.2f}">{here}</timestep>\n'
        return self._trace("moves.fcd.xml", text + "</fcd-export>\n")

    def _setdest(self) -> dict[str, Any]:
        text = ""
        for n, way in enumerate(self._ways().values()):
            text += f"$node_({n}) set X_ {way[0][1]}\n$node_({n}) set Y_ {way[0][2]}\n"
            text += "".join(f'$ns_ at {t} "$node_({n}) setdest {x} {y} {self.dice.randint(100, 900)}"\n' for t, x, y in way[:-1])
        return self._trace("moves.setdest", text)

    def _bonnmotion(self) -> dict[str, Any]:
        return self._trace("moves.bm", "".join(" ".join(f"{t} {x} {y}" for t, x, y in w) + "\n" for w in self._ways().values()))

    def _gpx(self) -> dict[str, Any]:
        begun = datetime(2026, 3, 1, tzinfo=UTC)
        text = '<gpx version="1.1" xmlns="http://www.topografix.com/GPX/1/1">'
        for way in self._ways().values():
            points = "".join(
                f'<trkpt lat="{y / 111195:.7f}" lon="{x / 111195:.7f}"><time>{begun + timedelta(seconds=t):%Y-%m-%dT%H:%M:%S.%fZ}'
                "</time></trkpt>" for t, x, y in way
            )  # fmt: skip
            text += f"<trk><trkseg>{points}</trkseg></trk>"
        return self._trace("moves.gpx", text + "</gpx>", origin=[0, 0])

    def _registrations(self) -> dict[str, Any]:
        """Draw registrations through the routers, some lost or refused, some deregistrations."""
        dice, asked = self.dice, []
        for n in range(dice.randint(1, 3)):
            home, at = f"10.9.0.{n}", dice.randint(0, 400)
            for k in range(dice.randint(2, 8)):
                answer = None if k and dice.random() < 0.15 else 2_000_000
                care_of = f"10.1.{dice.randrange(3)}.{dice.randrange(2)}"
                lifetime = dice.choice((0, 1, 600, 65535)) if k else 600
                code = 65 if k and dice.random() < 0.1 else 0
                asked.append(Registration(EPOCH_NS + at * 10**6, home, care_of, lifetime, answer, code))
                at += dice.randint(5, 500)
        frames = sorted((m for r in asked for m in r.packets()), key=lambda m: m.time_ns)
        first = Packet(EPOCH_NS, ("10.0.7.7", 5), ("10.0.7.8", 5), 17, 99)
        keys: dict[str, Any] = {"capture": self._written("away.pcap", [first, *frames])}
        keys["routers"] = {f"10.1.{k}.0/24": router for k, router in enumerate(ROUTERS)}
        for name, value in (("home", dice.choice(ROUTERS)), ("lead", "80ms"), ("guard", "15ms")):
            if dice.random() < 0.6:
                keys[name] = value
        return keys

    # -- the scenario ----------------------------------------------------------------------------------------------------------
    def _scenario(self, movement: dict[str, Any]) -> str:
        dice = self.dice
        rate, buffer = dice.choice(("infinite", "5Mbit/s")), dice.choice(("unlimited", 20))
        wired = {"rate": rate, "buffer_packets": buffer}

        def delay(low: int, high: int) -> str:
            return f"{dice.randint(low, high)}ms"

        tables: dict[str, Any] = {
            "name": f"study{self.number}",
            "duration": f"{DURATION_S}s",
            "correspondent": {"name": "cn"},
            "home_agent": {"name": "ha", "registration": delay(0, 1)},
            "node": [{"name": name} for name in ("g0", "g1")],
            "link": [
                {"between": ["cn", "ha"], "delay": delay(5, 20)}, {"between": ["cn", "g0"], "delay": delay(5, 30)},
                {"between": ["ha", "g0"], "delay": delay(2, 10)}, {"between": ["ha", "g1"], "delay": delay(2, 10)},
                {"between": ["g0", "g1"], "delay": delay(2, 10)},
            ],
            "region": [{"gateway": "g0", "routers": ["r0", "r1"]}, {"gateway": "g1", "routers": ["r2"]}],
            "routers": {
                "names": list(ROUTERS), "wired": {"delay": delay(2, 10), **wired}, "neighbours": {"delay": delay(1, 8), **wired},
                "cell": {
                    "delay": delay(1, 6), "rate": dice.choice(("unlimited", "2Mbit/s")), "loss": dice.choice((0, 0.05)),
                    "shared": dice.random() < 0.5,
                },
            },
            "traffic": [{"capture": self.names, **in_words(self.traffic)}],
            "movement": movement,
            "options": self._options(),
        }  # fmt: skip
        if "trace" in movement:
            tables["coverage"] = {
                "positions_m": {"r0": [0, 0], "r1": [150, 0], "r2": [300, 0]}, "hysteresis": "1dB", "time_to_trigger": "30ms",
                "interval": "50ms", "lead": dice.choice(("40ms", "120ms")), "guard": dice.choice(("5ms", "20ms")),
                "single_access": dice.choice((0, 0.5, 1)), "switch": "15ms", "shadowing": dice.choice(("0dB", "6dB")),
            }  # fmt: skip
        return "\n".join(f"{name} = {toml(value)}" for name, value in tables.items()) + "\n"

    def _options(self) -> dict[str, Any]:
        """Draw the options of a wild town, as texts with units."""
        found: dict[str, Any] = {}
        for name, value in Town.random_options(np.random.default_rng([self.number, 1])).items():
            if value is not None:
                unit = "ps" if name.endswith("_ps") else "B" if name.endswith("_bytes") else ""
                found[name.removesuffix("_ps")] = f"{value}{unit}" if unit else value
        return found


def in_words(keys: dict[str, Any]) -> dict[str, Any]:
    """Write windows (ns), durations (ps; ns in filters) and sizes as texts with units."""
    units = {"shift": "ps", "phase": "ps", "min_bytes": "B"}

    def words(name: str, value: Any) -> Any:
        if name in ("select", "exclude"):
            return [{n: f"{v}ns" if n == "min_duration" else words(n, v) for n, v in table.items()} for table in value]
        if isinstance(value, tuple):
            return [f"{t}ns" for t in value if t is not None]
        return f"{value}{units[name]}" if name in units else value

    return {name: words(name, value) for name, value in keys.items()}


def toml(value: Any) -> str:
    """Return plain data as inline TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return json.dumps(value)

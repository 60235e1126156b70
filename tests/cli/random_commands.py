"""Random scenarios and command lines, with values at the edge of what a scenario may have, and beyond."""

from __future__ import annotations

import struct
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import strategies as st

from handoff.metrics.catalogue import LINK_PARTS, MEASURES, NODE_PARTS, get_measure
from handoff.protocol.options import CHOICES
from handoff.protocol.procedures import ALL_PROCEDURES
from handoff.scenario.field_paths import keys_at
from handoff.scenario.overrides import SHORT_NAMES, variable_fields

DURATIONS = ("0s", "1ps", "1us", "1ms", "20ms", "300ms", "1s", "7s", "1h", "200h")
RATES = ("0/h", "1/Mh", "1/h", "100/h", "3600/h", "20/s")
COUNTS = ("0", "1", "2", "3", "7", "60", "1000", "unlimited")
RATIOS = ("0", "0.001", "0.5", "0.999999", "1", "1e-7", "-0.1", "1.5")
BIT_RATES = ("0", "unlimited", "64kbit/s", "10Mbit/s", "1Gbit/s", "1bit/s")
SIZES = ("0B", "1B", "200B", "64kB", "1GiB")
WORDS = ("true", "false", "mn0", "ar0", "ha", "cn", "ring", "constant", "eager", "", "nan", "[]", "-1", "1e400", "é", "[1, 2]")
POOLS = (DURATIONS, RATES, COUNTS, RATIOS, BIT_RATES, SIZES, WORDS)

HEAD = """
name = "random"
duration = "{duration}"
seed = {seed}
correspondent = [{{ name = "cn" }}]

[home_agent]
name = "ha"
registration = "{registration}"
registration_queue = {queue}

[[node]]
name = "rogue"

[[link]]
between = ["cn", "ha"]
delay = "3ms"

[[link]]
between = ["rogue", "ha"]
delay = "4ms"

[routers]
names = "ar{{0..2}}"
{wired_to}wired = {{ delay = "5ms"{rate} }}
neighbours = {{ delay = "2ms" }}
cell = {{ delay = "2ms", loss = {loss}, shared = {shared} }}
"""
REGIONS = """
[regions]
count = {count}
gateway = {{ name = "gw" }}
wired_to = "ha"
wired = {{ delay = "1ms" }}
neighbours = {{ delay = "1ms" }}
"""
COVERAGE = """
[coverage]
positions_m = { ar0 = [0, 0], ar1 = [400, 0], ar2 = [200, 300] }
"""
TRAFFIC = (
    '[[traffic]]\ninterval = "20ms"\nsize_bytes = 200\n',
    '[[traffic]]\ninterval = "50ms"\nsize_bytes = 80\npoisson = true\nphase = "1s"\n',
    '[[traffic]]\ninterval = "40ms"\nsize_bytes = 1\ndirection = "up"\n',
    '[[traffic]]\ninterval = "30ms"\nsize_bytes = 100\nmobile_correspondent = "ring"\n',
    '[[traffic]]\ncapture = "flow.pcap"\nmobile_address = "10.0.0.0/24"\n',
)
ATTACKS = (
    '[[attack]]\nkind = "forged registration"\nnode = "rogue"\n',
    '[[attack]]\nkind = "registration flood"\nnode = "rogue"\nto = "ha"\nrate = "50/s"\nstop = "1s"\n',
    '[[attack]]\nkind = "replayed registration"\nnode = "rogue"\ndelay = "200ms"\n',
    '[[attack]]\nkind = "reflection"\nnode = "rogue"\nto = "ha"\nrate = "20/s"\n',
)
MIXTURE = '[[mixture]]\nprocedure = "{a}"\nshare = 0.5\n\n[[mixture]]\nprocedure = "{b}"\nshare = 0.5\n'
CONTROL = '[control]\namf = "cn"\nsmf = "ha"\ndatabase = "ar1"\n'
RESTART = '[[restart]]\nnode = "ha"\nat = "500ms"\n'

LOG_HEAD = "mobile,router,up_s,down_s,predict_s,going_down_s\n"
LOGS = (
    "mn0,ar0,0,,,\n",
    "mn0,ar0,0,0.5,,0.48\nmn0,ar1,0.53,,,\n",
    "mn0,ar0,0,0.6,0.3,0.5\nmn0,ar1,0.5,,,\n",
    "mn0,ar0,0,0.5,0.4,0.48\nmn0,ar1,0.53,0.9,,\nmn0,ar2,0.9,,,\nmn1,ar1,0,,,\n",
    "mn0,ar0,0,0.4,,\nmn1,ar2,0.2,0.7,,\n",
    "mn0,ar0,0,0.5,,\nmn0,ar0,0.3,,,\n",  # a link that comes up twice
    "",
)
"""Logs without a handoff, with one, of two mobile nodes, and of some that leave."""
TRACES = {
    "walk.movements": "0 0 0 2 400 0\n0 10 10\n",
    "fcd.xml": '<fcd-export>\n<timestep time="0"><vehicle id="a" x="0" y="0"/></timestep>\n'
    '<timestep time="2"><vehicle id="a" x="40" y="0"/></timestep>\n</fcd-export>\n',
    "ns.tcl": "$node_(0) set X_ 0\n$node_(0) set Y_ 0\n$ns_ at 0.5 \"$node_(0) setdest 400 0 200\"\n",
    "walk.gpx": '<gpx><trk><trkseg><trkpt lat="50" lon="7"><time>2026-01-01T00:00:00Z</time></trkpt>'
    '<trkpt lat="50.001" lon="7"><time>2026-01-01T00:00:09Z</time></trkpt></trkseg></trk></gpx>\n',
    "broken.xml": "<fcd-export><timestep time='0'>",
    "nothing.csv": "",
}


def _capture(times_us: list[int]) -> bytes:
    # Raw IPv4 (link type 101), UDP from 192.0.2.1 to addresses in 10.0.0.0/24.
    packets = [bytes.fromhex("4500001c0000000040110000c0000201") + bytes([10, 0, 0, i % 3])
               + struct.pack(">HHHH", 9, 9, 8, 0) for i in range(len(times_us))]  # fmt: skip
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 101)
    return head + b"".join(
        struct.pack("<IIII", t // 10**6, t % 10**6, len(p), len(p)) + p for t, p in zip(times_us, packets, strict=True)
    )


def _paths(prefix: tuple[str, ...] = (), depth: int = 3) -> Iterator[str]:
    """Yield dotted paths of the scenario model; arrays have one element."""
    for key in keys_at(prefix):
        path = (*prefix, key)
        below = [*path, "0"] if key in ("traffic", "link", "node", "attack", "mixture", "restart", "correspondent") else [*path]
        if depth and keys_at(below):
            yield from _paths(tuple(below), depth - 1)
        else:
            yield ".".join(path)


NEVER = ("duration", "traffic.0.interval", "attack.0.rate", "options.advertisement_min", "options.advertisement_max")
"""Fields that could make a run endless; they have values of their own below."""
PATHS = sorted(path for path in _paths() if path not in NEVER)
NAMES = sorted(name for name in SHORT_NAMES if name not in ("attack_rate", "packet_interval", "mobile_nodes", "handoff_rate"))
SANE = {
    "handoff_rate": ("0/h", "1/h", "720/h", "7200/h"), "mobile_nodes": ("0", "1", "3", "20"), "gap": DURATIONS,
    "lifetime": ("0s", "1s", "7s", "600s", "18h"), "buffer": COUNTS, "new_buffer": COUNTS, "old_buffer": COUNTS,
    "lead_time": DURATIONS, "guard_time": DURATIONS, "agent_service": DURATIONS, "router_service": DURATIONS,
    "agent_queue": COUNTS, "share": RATIOS, "moving": RATIOS, "agents": ("1", "2", "9"), "cell_loss": ("0", "0.1", "0.9"),
    "link_rate": BIT_RATES, "cell_rate": BIT_RATES, "cell_buffer": COUNTS, "packet_interval": ("10ms", "100ms", "3s"),
    "duration": ("1ms", "1s", "2s"), "options.bicast": DURATIONS, "options.linger": ("0s", "1s"),
    **{f"options.{name}": values for name, values in CHOICES.items()},
}  # fmt: skip
"""Plausible values of fields, and some that are not."""
RANGES = {
    "handoff_rate": ("0/h:100/h", "1/h:3600/h", "0/Mh:1/Mh"), "mobile_nodes": ("0:3", "1:20", "2:3"),
    "lifetime": ("0s:10s", "1s:18h", "1s:9s"), "buffer": ("0:3", "1:40", "0:60"), "lead_time": ("0s:1s", "0ms:1ms"),
    "gap": ("0s:1s", "0s:20h"), "share": ("0:1", "0.1:0.9"), "cell_loss": ("0:0.5", "0:0.9", "0.1:0.2"), "moving": ("0:1",),
    "agents": ("1:3", "0:9"), "agent_service": ("0s:1s", "1ms:30ms"), "router_service": ("0s:20ms",),
    "agent_queue": ("0:10", "1:3"), "link_rate": ("1kbit/s:1Gbit/s", "64kbit/s:1Mbit/s"), "cell_rate": ("64kbit/s:10Mbit/s",),
    "duration": ("1ms:1s", "0s:1s"), "packet_interval": ("10ms:2s",), "guard_time": ("0s:500ms",),
    "options.bicast": ("0s:1s",), "options.tunnel_limit": ("1:4",), "nonsense": ("1:2",),
}  # fmt: skip
LIMITS = {
    "ps": ("0ms", "1ms", "50ms", "1h"), "ratio": ("0", "1e-4", "0.1%", "0.5", "1"), "packets": ("0", "1", "10"),
    "bytes": ("0B", "64kB"), "1/s": ("0/s", "3/s"), "": ("0", "1", "3.5"), "wrong": ("nan", "", "-1", "1x", "1e999"),
}  # fmt: skip
QUERIES = (
    "select * from runs", "select * from nodes", "select procedure, avg(lost) from runs join points using (point) group by all",
    "select count(*) from links", "select nothing from runs", "select 1/0", "select sum(loss_ratio) / 0 from runs", "selec",
    "select avg(registration_delay_mean_ps) from runs where handoffs = 0", "select * from groups", "select * from batches",
)  # fmt: skip


@dataclass(frozen=True)
class Scene:
    """Procedures and fields, by short name or path, that fit a scenario."""

    procedures: Sequence[str]
    fields: Sequence[str]


@dataclass
class Case:
    """A scenario with the files that it names, and command lines on it.

    Attributes
    ----------
    files : dict of str to bytes
        Contents by name; ``random.toml`` is the scenario.
    commands : list of list of str
        Words of each command, to be run in the folder of the files.
    """

    files: dict[str, bytes]
    commands: list[list[str]] = field(default_factory=list)

    def write(self, folder: Path) -> None:
        """Write the files into a folder."""
        for name, content in self.files.items():
            (folder / name).write_bytes(content)


@st.composite
def movements(draw: st.DrawFn) -> tuple[str, dict[str, bytes]]:
    """Draw the text of a movement, and its files."""
    kind = draw(st.sampled_from(["log", "log", "commuters", "commuters", "trace", "waypoint", "markov"]))
    if kind == "log":
        return '[movement]\nassociations = "log.csv"\n', {"log.csv": (LOG_HEAD + draw(st.sampled_from(LOGS))).encode()}
    if kind == "commuters":
        rate, nodes = draw(st.sampled_from(SANE["handoff_rate"])), draw(st.sampled_from(["1", "2", "9"]))
        links = ['gap = "20ms"', 'overlap = "20ms"\nguard = "5ms"\nlead = "100ms"', "", 'gap = ["0s", "50ms"]']
        extra = draw(st.sampled_from(links))
        path = draw(st.sampled_from(["line", "random", "ring"]))
        return f'[movement.commuters]\nmobile_nodes = {nodes}\nhandoff_rate = "{rate}"\npath = "{path}"\n{extra}\n', {}
    if kind == "trace":
        name = draw(st.sampled_from(sorted(TRACES)))
        return f'[movement]\ntrace = "{name}"\n{COVERAGE}', {name: TRACES[name].encode()}
    size = 'mobiles = 2\nwidth = "400m"\nheight = "300m"\n'
    if kind == "waypoint":
        return f'[movement.random_waypoint]\n{size}slowest = "10m/s"\nfastest = "90m/s"\n{COVERAGE}', {}
    return f'[movement.gauss_markov]\n{size}speed = "50m/s"\n{COVERAGE}', {}


@st.composite
def changes(draw: st.DrawFn, fields: Sequence[str]) -> list[str]:
    """Draw options ``--set``: mostly fields with plausible values, sometimes any field with any value."""
    words: list[str] = []
    for _ in range(draw(st.sampled_from([0, 0, 1, 1, 2]))):
        if draw(st.integers(0, 7)):
            name = draw(st.sampled_from([name for name in SANE if name in fields or "." in name]))
            words += ["--set", f"{name}={draw(st.sampled_from(SANE[name]))}"]
        else:
            name = draw(st.sampled_from([*PATHS, *NAMES]))
            words += ["--set", f"{name}={draw(st.sampled_from(draw(st.sampled_from(POOLS))))}"]
    return words


@st.composite
def procedure_lists(draw: st.DrawFn, names: Sequence[str]) -> str:
    """Draw some of the names, separated by commas."""
    return ",".join(draw(st.lists(st.sampled_from(names), min_size=1, max_size=3, unique=True)))


measures = st.one_of(
    st.sampled_from(sorted(MEASURES)), st.sampled_from([f"{node}.{part}" for node in ("ha", "ar0", "cn") for part in NODE_PARTS]),
    st.sampled_from([f"{link}.{part}" for link in ("cn>ha", "ha>ar0", "ar1>*") for part in LINK_PARTS]),
)  # fmt: skip


@st.composite
def targets(draw: st.DrawFn) -> str:
    """Draw a target, mostly with a limit in the unit of its measure."""
    name = draw(measures)
    limits = LIMITS[get_measure(name).unit if draw(st.integers(0, 9)) else "wrong"]
    return f"{name}{draw(st.sampled_from(['<=', '<=', '<', '>=', '>']))}{draw(st.sampled_from(limits))}"


@st.composite
def gates(draw: st.DrawFn) -> list[str]:
    """Draw options of ``run``, ``compare`` and ``sweep`` that judge the results."""
    words = [word for target in draw(st.lists(targets(), max_size=2)) for word in ("--slo", target)]
    return words + draw(st.sampled_from([[], [], ["--junit", "targets.xml"]]))


@st.composite
def plans(draw: st.DrawFn, scene: Scene) -> list[str]:
    """Draw the words of ``plan``."""
    words = ["plan", "random.toml", "--jobs", "1", "--precision", "0.3", "--most-runs", draw(st.sampled_from(["2", "3"]))]
    words += ["--procedures", draw(procedure_lists(scene.procedures))]
    if draw(st.integers(0, 5)):
        name = draw(st.sampled_from([name for name in RANGES if name in scene.fields] or sorted(RANGES)))
        words += ["--vary", f"{name}={draw(st.sampled_from(RANGES[name]))}"]
    else:
        words += ["--size", draw(st.sampled_from(["buffer", "lead", "agents"]))]
    for target in draw(st.lists(targets(), min_size=draw(st.sampled_from([0, 1, 1, 1])), max_size=2)):
        words += ["--slo", target]
    for word in ("--analytic", "--dry-run", "--json"):
        words += [word] if draw(st.integers(0, 3)) == 0 else []
    words += draw(st.sampled_from([[], [], ["--find", "largest"], ["--find", "smallest"], ["--warmup", "300ms"], ["-o", "kept"],
                                   ["--memory-limit", "1MB"], ["--confidence", "0.5"]]))  # fmt: skip
    return words + draw(changes(scene.fields))


@st.composite
def sweeps(draw: st.DrawFn, scene: Scene) -> list[str]:
    """Draw the words of ``sweep``."""
    words = ["sweep", "random.toml", "-o", "swept", "--jobs", "1", "--runs", draw(st.sampled_from(["1", "2", "3"]))]
    words += ["--procedures", draw(procedure_lists(scene.procedures))]
    for name in draw(st.lists(st.sampled_from([name for name in SANE if name in scene.fields]), max_size=2, unique=True)):
        values = draw(st.lists(st.sampled_from(SANE[name]), min_size=1, max_size=2, unique=True))
        words += ["--vary", f"{name}={','.join(values)}"]
    for name in draw(st.lists(measures, max_size=3)):
        words += ["--metric", name]
    words += draw(st.sampled_from([
        [], [], ["--batches", "5"], ["--warmup", "300ms"], ["--detail"], ["--dry-run"], ["--json"], ["--json"],
        ["--where", "lost < 3"], ["--where", "procedure = 'mipv4'"], ["--memory-limit", "1MB"],
    ]))  # fmt: skip
    return words + draw(gates()) + draw(changes(scene.fields))


@st.composite
def runs(draw: st.DrawFn, scene: Scene) -> list[str]:
    """Draw the words of ``run``."""
    words = ["run", "random.toml", "--procedure", draw(st.sampled_from(scene.procedures))]
    words += draw(st.sampled_from([[], [], ["--json"], ["-o", "results"], ["--pcap", "run.pcapng"], ["--no-detail"],
                                   ["--threads", "2"], ["--memory-limit", "1MB"], ["--checkpoint-every", "1ms"]]))  # fmt: skip
    return words + draw(gates()) + draw(changes(scene.fields))


@st.composite
def comparisons(draw: st.DrawFn, scene: Scene) -> list[str]:
    """Draw the words of ``compare``."""
    words = ["compare", "random.toml", "--jobs", "1", "--procedures", draw(procedure_lists(scene.procedures))]
    words += draw(st.sampled_from([[], [], ["--json"], ["--csv"], ["-o", "compared"], ["--no-detail"]]))
    return words + draw(gates()) + draw(changes(scene.fields))


@st.composite
def ladders(draw: st.DrawFn, scene: Scene) -> list[str]:
    """Draw the words of ``ladder``."""
    words = ["ladder", "random.toml", "--procedure", draw(st.sampled_from(scene.procedures))]
    words += draw(st.sampled_from([["--mn", "0"], ["--mn", "0"], ["--mn", "mn0"], ["--mn", "x"], []]))
    words += draw(st.sampled_from([["--handoff", "0"], ["--handoff", "0"], ["--handoff", "9"], ["--registration"], []]))
    if not draw(st.integers(0, 5)):
        words = ["ladder", "random.toml", "--figure", draw(st.sampled_from(["2", "5A", "12A", "99"]))]
    return words + draw(st.sampled_from([[], [], ["-o", "ladder.svg"]])) + draw(changes(scene.fields))


@st.composite
def cases(draw: st.DrawFn, commands: int) -> Case:
    """Draw a scenario and command lines: one of each kind, or ``commands`` of one kind after the other."""
    movement, files = draw(movements())
    regions = draw(st.sampled_from(["", "", REGIONS.format(count=1), REGIONS.format(count=2)]))
    parts = [HEAD.format(
        duration=draw(st.sampled_from(["2s", "1s", "1ms"])), seed=draw(st.sampled_from([*range(12), 2**63 - 2])),
        registration=draw(st.sampled_from(["0s", "1ms", "400ms"])), queue=draw(st.sampled_from([1, 2, 1000])),
        rate=draw(st.sampled_from(["", ', rate = "1Mbit/s"', ', rate = "20kbit/s", buffer_packets = 1'])),
        loss=draw(st.sampled_from(["0", "0.3", "0.999"])), shared=draw(st.sampled_from(["true", "false"])),
        wired_to="" if regions else 'wired_to = "ha"\n',
    ), regions]  # fmt: skip
    parts += draw(st.lists(st.sampled_from(TRAFFIC), min_size=1, max_size=2, unique=True))
    parts += draw(st.sampled_from([[], [], *([attack] for attack in ATTACKS), [RESTART]]))
    parts += draw(st.sampled_from([[], [], [CONTROL]]))
    names = [name for name in ALL_PROCEDURES if regions or not name.startswith(("hmip", "sync-hmip"))]
    if draw(st.booleans()):
        a, b = draw(st.lists(st.sampled_from(names), min_size=2, max_size=2))
        parts.append(MIXTURE.format(a=a, b=b))
        names.append("mixture")
    names += [] if draw(st.integers(0, 9)) else ["mixture", "hmipv6", "nobody"]
    fewest = draw(st.sampled_from([0, 2, 2, 2]))
    files["flow.pcap"] = _capture(sorted(draw(st.lists(st.integers(0, 2_000_000), min_size=fewest, max_size=5))))
    text = "\n".join([*parts, movement])
    files["random.toml"] = text.encode()
    scene = Scene(names, [*variable_fields(tomllib.loads(text)), "duration", "seed", "options.bicast", "options.tunnel_limit"])
    traced = st.builds(lambda name, extra: ["trace", "info", name, *extra], st.sampled_from(sorted(files)),
                       st.sampled_from([[], ["--json"], ["--scenario", "random.toml"]]))  # fmt: skip
    queried = st.builds(lambda sql, folder, extra: ["query", sql, folder, *extra], st.sampled_from(QUERIES),
                        st.sampled_from(["swept", "swept", "results", "compared", "kept"]),
                        st.sampled_from([[], ["--json"], ["--csv"]]))  # fmt: skip
    validated = changes(scene.fields).map(lambda words: ["validate", "random.toml", *words])
    kinds = [
        validated, runs(scene), comparisons(scene), ladders(scene), traced, plans(scene), sweeps(scene), queried,
    ]  # fmt: skip
    first = draw(st.integers(0, len(kinds) - 1)) if commands < len(kinds) else 0
    return Case(files, [draw(kinds[(first + i) % len(kinds)]) for i in range(commands)])

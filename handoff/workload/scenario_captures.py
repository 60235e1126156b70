"""The captures that a scenario replays: opened once, with the layer of tunnels that has the mobile side."""

from __future__ import annotations

from pathlib import Path

import handoff_traces
from handoff.scenario.traffic import Traffic
from handoff.workload.capture_stream import open_capture
from handoff.workload.mobile_side import count_packets, describe_absence, format_counts, format_sides


class ScenarioCaptures:
    """Captures of a scenario, each opened once for a layer of tunnels and a treatment of bad records.

    Parameters
    ----------
    folder : Path
        Folder that the names of the captures are relative to.

    Attributes
    ----------
    problems : list of str
        Why captures cannot be read.
    facts : dict of str to handoff_traces.Facts
        Facts of each capture that is replayed, by its name.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._opened: dict[tuple[str, str, str], handoff_traces.CompiledCapture | None] = {}
        self.problems: list[str] = []
        self.facts: dict[str, handoff_traces.Facts] = {}

    def open(self, traffic: Traffic) -> list[handoff_traces.CompiledCapture] | None:
        """Return the captures of a ``[[traffic]]`` table; None if one of them cannot be read.

        Without the key ``tunnel``, flows are those inside tunnels, unless only outer packets have an address of the mobile side.

        Raises
        ------
        ValueError
            If only packets of the layer that ``tunnel`` excludes have such an address.
        """
        assert traffic.mobile_address is not None
        layer: handoff_traces.TunnelLayer = traffic.tunnel or "inner"
        captures = self._open_layer(traffic, layer)
        if captures is None:
            return None
        if not count_packets(captures, traffic.mobile_address)[0]:
            captures = self._use_other_layer(traffic, layer, captures)
        self.facts.update((name, capture.facts) for name, capture in zip(traffic.capture or (), captures, strict=True))
        return captures

    def _use_other_layer(
        self, traffic: Traffic, layer: handoff_traces.TunnelLayer, captures: list[handoff_traces.CompiledCapture]
    ) -> list[handoff_traces.CompiledCapture]:
        """Return the captures with flows of the layer that has an address of the mobile side, which ``layer`` has not."""
        assert traffic.mobile_address is not None
        if any(len(capture.facts.tunnels) for capture in captures):
            other: handoff_traces.TunnelLayer = "inner" if layer == "outer" else "outer"
            others = self._open_layer(traffic, other) or []
            packets = count_packets(others, traffic.mobile_address)[0]
            if packets and traffic.tunnel is None:
                return others
            if packets:
                side = "inside its tunnels" if other == "inner" else "outside its tunnels"
                raise ValueError(
                    f"{', '.join(traffic.capture or ())} has {format_sides(traffic.mobile_address)} only {side}, in {packets:,} "
                    f"packets: give tunnel = '{other}', or leave it out"
                )
        raise ValueError(describe_absence(captures, traffic))

    def _open_layer(self, traffic: Traffic, layer: handoff_traces.TunnelLayer) -> list[handoff_traces.CompiledCapture] | None:
        captures = []
        for name in traffic.capture or ():
            key = name, layer, traffic.on_bad_record
            if key not in self._opened:
                try:
                    self._opened[key] = open_capture(self._folder / name, layer, traffic.on_bad_record)
                except handoff_traces.TraceError as error:
                    self._opened[key] = None
                    self.problems += [line for line in error.lines if line not in self.problems]
            captures.append(self._opened[key])
        opened = [capture for capture in captures if capture is not None]
        return opened if len(opened) == len(captures) else None

    def warnings(self) -> list[str]:
        """Return what is left out of the captures, in words."""
        return [remark for name, facts in self.facts.items() for remark in capture_remarks(name, facts)]

    def skipped(self) -> dict[str, dict[str, int]]:
        """Return the numbers of records left out by reason, for each capture that has any."""
        return {name: facts.skipped for name, facts in self.facts.items() if facts.skipped}


def capture_remarks(name: str, facts: handoff_traces.Facts) -> list[str]:
    """Return what is left out of a capture, in words."""
    remarks = [f"{name}: {facts.truncated}"] if facts.truncated else []
    titles = {"records left out": facts.skipped, "packets whose content is not looked into": facts.opaque}
    return remarks + [f"{name}: {title}: {format_counts(counts)}" for title, counts in titles.items() if counts]

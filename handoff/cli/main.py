"""The command line. Heavy imports stay inside the commands, so that help is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from handoff.cli.execution_options import execution_options

_JSON = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of a table.")


def _study_options(command: Any) -> Any:
    for option in (
        click.argument("scenario", type=click.Path(path_type=Path)),
        click.option("-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="Write Parquet tables into DIR."),
        click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of every draw, instead of the scenario's."),
        click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key, as in options.bicast=1s."),
        click.option(
            "--detail/--no-detail", default=None,
            help="All metrics, from a record of every packet (200 bytes each). Without either: up to ten million packets.",
        ),
        click.option(
            "--threads", type=click.IntRange(1, 64), default=1, show_default=True,
            help="Nodes of the network that run side by side; the result is the same for any number.",
        ),
        click.option("--memory-limit", metavar="SIZE", help="Refuse a run that may take more, as in 2GB."),
        click.option(
            "--checkpoint-every", metavar="TIME",
            help="Keep a checkpoint, renewed each TIME of real time, as in 10min: what a killed run loses at most.",
        ),
        click.option(
            "--checkpoint", type=click.Path(path_type=Path, dir_okay=False),
            help="Where it is kept.  [default: handoff.checkpoint in the folder of -o, or the present one]",
        ),
        click.option(
            "--resume", is_flag=True,
            help="Go on from the checkpoint of the same command; the results are those of a run that was never stopped. "
            "Without a checkpoint: begin.",
        ),
        click.option(
            "--progress/--no-progress", default=None,
            help="Simulated time, speed and time to go on stderr.  [default: on a terminal]",
        ),
        _JSON,
    ):
        command = option(command)
    return command


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="handoff")
def main() -> None:
    """Mobile IP handoff procedures on real traffic and movement: what is lost, delayed, reordered and signalled.

    Exit codes: 0 done, 1 failed, 2 invalid input, 3 targets missed, 130 interrupted.
    """


@main.command()
@_study_options
@click.option("--procedure", required=True, help="One of 'handoff procedures'.")
@click.option("--pcap", type=click.Path(path_type=Path, dir_okay=False), help="Write what the links carry as pcapng into FILE.")
@click.option(
    "--pcap-links", multiple=True, metavar="NAMES",
    help="Only these links: names with * and ?, separated by commas, as in 'ha>ar*,ar0>*'; the option may be repeated.",
)
@click.option(
    "--pcap-snap", type=click.IntRange(0, 65_535), default=128, show_default=True,
    help="Most bytes kept of a packet; 0 keeps all.",
)
def run(procedure: str, pcap: Path | None, pcap_links: tuple[str, ...], pcap_snap: int, **options: Any) -> None:
    """Run one procedure on a SCENARIO."""
    if pcap is None and pcap_links:
        raise click.UsageError("--pcap-links chooses links of a capture: give its file with --pcap")
    patterns = [name.strip() for text in pcap_links for name in text.split(",")]
    _study([procedure], capture=None if pcap is None else (pcap, patterns, pcap_snap), **options)


@main.command()
@_study_options
@click.option("--procedures", default="all", show_default=True, help="Names, separated by commas.", metavar="NAMES")
def compare(procedures: str, **options: Any) -> None:
    """Run procedures on the same packets and the same draws of a SCENARIO."""
    from handoff.protocol.procedures import parse_names

    _study(parse_names(procedures), **options)


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False), help="The dataset, new or not; --dry-run needs none."
)
@click.option(
    "--vary", multiple=True, metavar="NAME=VALUES",
    help="A field and its values, beside or instead of those of [sweep]: 'buffer=10,20', 'lead_time=0..60ms step 20ms', "
    "'mobile_nodes=1k..1M log 7'; a short name, or a path as in options.bicast.",
)
@click.option("--zip", "side_by_side", multiple=True, metavar="NAMES", help="Fields, with commas, that vary side by side.")
@click.option("--procedures", metavar="NAMES", help="Names, with commas, or all.  [default: those of [sweep]]")
@click.option("--runs", type=click.IntRange(1, 10**6), help="Replications of each point.  [default: [sweep], else 10]")
@click.option("--where", "condition", metavar="SQL", help="Only points for which it is true: buffer < 30 or procedure = 'mipv4'.")
@click.option("--dry-run", is_flag=True, help="Show what would be run, packets, memory and time; run nothing.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Of the first replication, instead of the scenario's.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key, as in options.bicast=1s.")
@click.option("--warmup", metavar="TIME", help="Figures are about what comes after it.")
@click.option("--batches", type=click.IntRange(1, 10_000), help="Cut each run into so many, for an interval from one run.")
@click.option("--detail/--no-detail", default=None, help="Keep a record of every packet, for all measures.")
@click.option("--memory-limit", metavar="SIZE", help="A run that may take more fails, as in 2GB.")
@click.option("--metric", "measures", multiple=True, metavar="NAME", help="Shown instead of the usual ones; may be repeated.")
@click.option("--rerun-stale", is_flag=True, help="Do runs of another version of the code anew.")
@click.option("--progress/--no-progress", default=None, help="Runs done and time to go on stderr.  [default: on a terminal]")
@execution_options
@_JSON
def sweep(
    output: Path | None, dry_run: bool, rerun_stale: bool, progress: bool | None, as_json: bool, begin: Any, **options: Any
) -> None:
    """Run a SCENARIO at many points, in replications.

    The same command again does only what is missing, whatever has ended it; more --runs add to those that are there.

    Exit codes: 0 done, 1 some points cannot be run or a run failed, 2 invalid input, 130 interrupted.
    """
    if output is None and not dry_run:
        raise click.UsageError("say with -o DIR where the dataset is, or is to be; or look first, with --dry-run")
    with _Failures():
        from handoff.cli.sweep import SweepRequest
        from handoff.cli.sweep import sweep as run_sweep

        sys.exit(
            run_sweep(
                SweepRequest(**options), output, begin, dry_run=dry_run, rerun_stale=rerun_stale, progress=progress, as_json=as_json
            )
        )


@main.command()
@click.argument("sql")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@_JSON
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV instead of a table.")
def query(sql: str, folder: Path, as_json: bool, as_csv: bool) -> None:
    """Ask a sweep's dataset DIR in SQL; its tables are runs, nodes, links, batches, points (docs/sweeps.md)."""
    with _Failures():
        from handoff.cli.query import print_query

        print_query(sql, folder, as_json=as_json, as_csv=as_csv)


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option(
    "--vary", multiple=True, metavar="NAME=LOW:HIGH", help="What to find the limit of, and where, as in mobile_nodes=1k:1M."
)
@click.option(
    "--size", type=click.Choice(["buffer", "lead", "agents"]),
    help="Instead: the smallest old and new routers' buffers, the latest layer-2 trigger, or the fewest GFAs or MAPs.",
)
@click.option(
    "--slo", multiple=True, metavar="TARGET",
    help="MEASURE<=LIMIT, as in 'registration_delay_p99<=50ms'; all have to be met, with those of [slo].",
)
@click.option(
    "--procedures", default="sync-mipv4", show_default=True, metavar="NAMES",
    help="Names, with commas, or all: an answer for each.",
)
@click.option(
    "--find", type=click.Choice(["largest", "smallest"]), help="Which value that meets the targets.  [default: found out]"
)
@click.option(
    "--confidence", type=click.FloatRange(0.5, 0.9999), default=0.95, show_default=True, help="That the limit is in the answer."
)
@click.option(
    "--precision", type=click.FloatRange(1e-4, 0.5), default=0.01, show_default=True, help="Relative width at which to stop."
)
@click.option(
    "--most-runs", type=click.IntRange(2, 1000), default=12, show_default=True,
    help="Runs after which a value that is not clear stays undecided.",
)
@click.option("--warmup", default="0s", show_default=True, metavar="TIME", help="Of each run, not measured.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of the first run of each value, instead of the scenario's.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key, as in options.bicast=1s.")
@click.option(
    "-o", "--output", type=click.Path(path_type=Path, file_okay=False),
    help="Keep the runs in DIR, the dataset of a sweep: the same command goes on where it was, 'handoff query' reads them.",
)
@click.option("--memory-limit", metavar="SIZE", help="Stop at a run that may take more, as in 2GB.")
@click.option("--analytic", is_flag=True, help="The closed forms alone, at once: nothing is simulated.")
@click.option("--dry-run", is_flag=True, help="Say what would be tried, and how many packets that is.")
@click.option("--progress/--no-progress", default=None, help="What is being done, on stderr.  [default: on a terminal]")
@execution_options
@_JSON
def plan(procedures: str, begin: Any, as_json: bool, dry_run: bool, progress: bool | None, **options: Any) -> None:
    """Find how much a SCENARIO can carry: the value up to which all targets are met, with an interval, and what gives way.

    Exit codes: 0 found, 1 undecided or out of order, 2 invalid input, 3 the targets cannot be met, 130 interrupted.
    """
    with _Failures():
        from handoff.cli.plan import PlanRequest, plan_command
        from handoff.protocol.procedures import parse_names

        wanted = PlanRequest(procedures=tuple(parse_names(procedures)), **options)
        sys.exit(plan_command(wanted, begin, as_json=as_json, dry_run=dry_run, progress=progress))


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--procedure", required=True, help="One of 'handoff procedures'.")
@click.option("--mn", required=True, help="A mobile node: its name, or its number from 0.")
@click.option("--handoff", type=click.IntRange(min=0), required=True, help="Which of its handoffs, from 0.")
@click.option("-o", "--output", type=click.Path(path_type=Path, dir_okay=False), help="Write a picture (SVG) instead.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Seed of every draw, instead of the scenario's.")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key, as in options.bicast=1s.")
def ladder(**options: Any) -> None:
    """Draw one handoff of a SCENARIO: messages, events and data, phase by phase."""
    with _Failures():
        from handoff.cli.ladder import ladder_command

        ladder_command(**options)


@main.command()
@_JSON
def procedures(as_json: bool) -> None:
    """List the procedures: family, anchor, marker, figures of the seed, RFCs."""
    from handoff.protocol.procedures import PROCEDURES

    fields = ("name", "family", "anchor", "marker", "figures")
    if as_json:
        import json

        rows = [{f: getattr(p, f) for f in (*fields, "summary")} | {"rfcs": list(p.rfcs)} for p in PROCEDURES.values()]
        click.echo(json.dumps(rows, indent=2))
        return
    lines = [fields, *([getattr(p, f) or "-" for f in fields] for p in PROCEDURES.values())]
    widths = [max(len(line[i]) for line in lines) for i in range(len(fields))]
    tails = ["summary", *(f"{p.summary} ({', '.join(p.rfcs)})" for p in PROCEDURES.values())]
    for line, tail in zip(lines, tails, strict=True):
        click.echo("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)) + "  " + tail)


@main.command()
def dissector() -> None:
    """Print the path of the Lua dissector for route optimization and regional registrations in Mobile IPv4 captures.

    Use it as in: tshark -X lua_script:$(handoff dissector) -r FILE
    """
    from importlib.resources import files

    click.echo(files("handoff.output.pcap") / "mipv4_ro.lua")


@main.command()
@click.argument("scenario", type=click.Path(path_type=Path))
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Change a key, as in options.bicast=1s.")
def validate(scenario: Path, changes: tuple[str, ...]) -> None:
    """Check a SCENARIO and the files that it names; say everything that is wrong."""
    with _Failures():
        from handoff.scenario import load_scenario
        from handoff.workload.build import build_setup

        checked, _ = load_scenario(scenario, changes)
        setup = build_setup(checked, scenario, checked.seed)
        moves = len(setup.movement.mobile) - int(setup.last_attachments().sum())
        click.echo(
            f"{scenario}: sound: {setup.network.mobile_count} mobile nodes, {len(checked.routers.names)} routers, "
            f"{moves} handoffs, {setup.network.flow_count} flows, {setup.duration_ps / 1e12:g} s"
        )
        for note in setup.notes:
            click.echo(f"{scenario}: {note}")


@main.group()
def trace() -> None:
    """Look at captures and movement."""


@trace.command()
@click.argument("file", type=click.Path(path_type=Path))
@_JSON
@click.option("--scenario", type=click.Path(path_type=Path), help="Also the attachments under this scenario's coverage.")
@click.option("--max-ratio", type=click.IntRange(1, 2**63 - 1), help="Times a compressed capture may grow.  [default: 100]")
def info(file: Path, as_json: bool, scenario: Path | None, max_ratio: int | None) -> None:
    """Packets, rate, flows and Mobile IP signalling of a capture FILE; nodes, area, handoffs of a movement FILE."""
    with _Failures():
        import json

        import traces

        if scenario is not None or traces.look(file) != "other":
            from handoff.mobility import statistics as movement_facts

            found = movement_facts.describe_movement(file, scenario)
            lines = movement_facts.format_description(found)
        else:
            from handoff.cli import capture_info as capture_facts

            found = capture_facts.describe_capture(file, max_ratio)
            lines = capture_facts.format_description(found)
        click.echo(json.dumps(found, indent=2) if as_json else "\n".join(lines))


def _study(names: list[str], **options: Any) -> None:
    with _Failures():
        from handoff.cli.run import run_study

        sys.exit(run_study(names, **options))


class _Failures:
    """Bad input ends with its message and 2, a failure with 1; no traceback either way."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        if isinstance(error, KeyboardInterrupt):
            sys.exit(130)
        if error is None or isinstance(error, (SystemExit, click.exceptions.Exit, click.ClickException)):
            return
        if isinstance(error, MemoryError):
            _end(f"handoff: {error}", 1)
        if isinstance(error, OSError):
            _end(f"handoff: {error.filename or 'file'}: {error.strerror}" if error.strerror else f"handoff: {error}", 1)
        if isinstance(error, ValueError):
            _end(str(error), 2)


def _end(message: str, code: int) -> None:
    click.echo(message, err=True)
    sys.exit(code)

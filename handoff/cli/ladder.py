"""``handoff ladder``: run a study and draw one of its handoffs, or the figures of the seed document."""

from __future__ import annotations

from pathlib import Path

from engine.output_file import NewFile
from handoff.cli.examples import example_path
from handoff.cli.legend import print_legend
from handoff.cli.output_paths import input_paths, reserve_outputs
from handoff.cli.terminal import output_width, show
from handoff.output.ladder.collect import build_ladder
from handoff.output.ladder.diagram import Arrow, Ladder
from handoff.output.ladder.diagram_mermaid import render_mermaid
from handoff.output.ladder.diagram_svg import render_svg
from handoff.output.ladder.diagram_text import DEFAULT_WIDTH, render_text
from handoff.output.ladder.figures import FIGURES, find_figure
from handoff.output.ladder.ladder_page import NEIGHBOURS, draw_ladder_page
from handoff.output.ladder.picture import build_figures
from handoff.output.ladder.picture_svg import render_picture
from handoff.output.ladder.picture_text import render_picture_text
from handoff.output.ladder.view import observe_first_registration, observe_mobile
from handoff.protocol.messages import message_kind
from handoff.protocol.procedures import name_errors
from handoff.protocol.setup import Setup
from handoff.scenario import ScenarioError, load_scenario
from handoff.workload.build import build_setup
from handoff.workload.mobile_names import find_mobile

_ALL = "all"
_FORM_OF_SUFFIX = {".html": "html", ".htm": "html", ".mmd": "mermaid"}


def ladder_command(
    *, scenario: Path, procedure: str, mn: str, handoff: int | None, output: Path | None, seed: int | None,
    changes: tuple[str, ...], form: str | None = None,
) -> None:  # fmt: skip
    """Print the diagram of a handoff, or of the first registration if ``handoff`` is None, or write it into a file.

    ``form`` is one of those of ``--format``. The default is text on the terminal, and in a file what its name ends in: SVG, or a
    page for ``.html`` and Mermaid for ``.mmd``.

    Raises
    ------
    ScenarioError
        If the scenario, the procedure or the mobile node is invalid, or the SVG file cannot be at its place.
    ValueError
        If the mobile node has no such handoff or registration.
    """
    if errors := name_errors([procedure]):
        raise ScenarioError(errors)
    _check_folder(output, is_folder=False)
    setup, seed, inputs = _load(scenario, seed, changes)
    with reserve_outputs(None, {"-o": output}, inputs):
        mobile = find_mobile(setup, mn, "--mn")
        if form is None:
            form = "text" if output is None else _FORM_OF_SUFFIX.get(output.suffix.lower(), "svg")
        kinds: list[str] = []
        if form == "html":
            text = _draw_page(setup, procedure, mobile, handoff, seed)
        else:
            ladder = build_ladder(setup, procedure, mobile, handoff, seed)
            text = _draw(ladder, form)
            kinds = [message_kind(row.message) for row in ladder.rows() if isinstance(row, Arrow)]
        if output is not None:
            _write(output, text)
            return
        show(text.rstrip("\n"))
        if form == "text":
            print_legend(kinds)


def _draw_page(setup: Setup, procedure: str, mobile: int, handoff: int | None, seed: int) -> str:
    if handoff is None:
        return draw_ladder_page([observe_first_registration(setup, procedure, mobile, seed)])
    return draw_ladder_page(observe_mobile(setup, procedure, mobile, seed).views(handoff, NEIGHBOURS), handoff)


def _draw(ladder: Ladder, form: str) -> str:
    if form == "text":
        return render_text(ladder, output_width() or DEFAULT_WIDTH) + "\n"
    return render_svg(ladder) if form == "svg" else render_mermaid(ladder) + "\n"


def figure_command(
    *, figure: str, scenario: Path | None, mn: str | None, handoff: int | None, output: Path | None, seed: int | None,
    changes: tuple[str, ...],
) -> None:  # fmt: skip
    """Print a figure of the seed document as text, or write it as SVG; write all figures into a folder.

    Raises
    ------
    ScenarioError
        If the number of the figure, the scenario or the mobile node is invalid, or the output cannot be written there.
    ValueError
        If the run has no handoff of the figure's kind.
    """
    every = figure == _ALL
    try:
        figures = tuple(FIGURES.values()) if every else (find_figure(figure),)
    except ValueError as error:
        raise ScenarioError([f"--figure: {error}"]) from None
    if every and output is None:
        raise ScenarioError(["--figure all: give the folder of the files with -o"])
    _check_folder(output, is_folder=every)
    setup, seed, inputs = _load(scenario or example_path("figures"), seed, changes)
    mobile = None if mn is None else find_mobile(setup, mn, "--mn")
    names = [f"{drawn.number}.svg" for drawn in figures]
    with reserve_outputs(output, {}, inputs, names) if every else reserve_outputs(None, {"-o": output}, inputs):
        for drawn, picture in build_figures(setup, figures, seed, mobile, handoff):
            if output is None:
                show(render_picture_text(picture))
            else:
                _write(output / f"{drawn.number}.svg" if every else output, render_picture(picture))


def _load(scenario: Path, seed: int | None, changes: tuple[str, ...]) -> tuple[Setup, int, list[Path]]:
    # Returns the setup, the seed and the files that were read.
    loaded, _ = load_scenario(scenario, changes)
    seed = loaded.seed if seed is None else seed
    return build_setup(loaded, scenario, seed), seed, input_paths(loaded, scenario)


def _check_folder(output: Path | None, is_folder: bool) -> None:
    """Fail before the run if no file, or no folder, can be at the path of the output."""
    if output is None:
        return
    if not output.parent.is_dir():
        raise ScenarioError([f"-o: {output.parent} is not a folder"])
    if is_folder and output.exists() and not output.is_dir():
        raise ScenarioError([f"-o: {output} is a file: give the folder of the figures"])
    if not is_folder and output.is_dir():
        raise ScenarioError([f"-o: {output} is a folder: give a file"])


def _write(path: Path, text: str) -> None:
    with NewFile(path) as file:
        file.write(text.encode())

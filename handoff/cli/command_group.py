"""The root command: import a subcommand when it is called, turn errors into messages and exit codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from handoff.cli.exit_codes import ExitCode
from handoff.cli.grouped_help import COMMAND_GROUPS, group_rows
from handoff.cli.interrupt import EXIT_BASE, STATE, restored_signal_handlers
from handoff.cli.log import verbosity_options
from handoff.cli.terminal import LAYOUT, report
from handoff.output.printable import printable


class CommandGroup(click.Group):
    """Group whose subcommands live in modules of their own.

    A subcommand returns its exit code, or None for :attr:`ExitCode.OK`. Bad input ends with its message and
    :attr:`ExitCode.INVALID_INPUT`, a failure with :attr:`ExitCode.FAILED`; neither shows a traceback.

    Parameters
    ----------
    modules : mapping of str to str
        Module of each subcommand. The module defines the command under the subcommand's name.
    """

    def __init__(self, *arguments: Any, modules: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._modules = modules
        self.params += verbosity_options()

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all subcommands, sorted."""
        return sorted(self._modules)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand; return None if there is none of this name."""
        if cmd_name not in self._modules:
            return None
        command = getattr(import_module(self._modules[cmd_name]), cmd_name)
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:  # fmt: skip
        """Return the subcommand that the first word names; the error for an unknown one has similar names."""
        if not ctx.resilient_parsing and args[0] not in self._modules and not args[0].startswith("-"):
            from engine.similar_names import name_hint

            names = self.list_commands(ctx)
            ctx.fail(f"no command {args[0]!r}; {name_hint(args[0], names)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands in groups."""
        width = formatter.width - 6 - max(map(len, self._modules))
        commands = [(name, self.get_command(ctx, name)) for name in self.list_commands(ctx)]
        records = [(name, (name, command.get_short_help_str(width))) for name, command in commands if command is not None]
        for group, rows in group_rows(records, COMMAND_GROUPS, "commands"):
            with formatter.section(group):
                formatter.write_dl(rows, col_max=max(map(len, self._modules)))

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Parse the command line."""
        try:
            return super().make_context(*arguments, **options)
        except click.ClickException as error:
            raise _inert(error) from None

    def invoke(self, ctx: click.Context) -> NoReturn:
        """Run a subcommand and end with its exit code."""
        with restored_signal_handlers():
            try:
                code = super().invoke(ctx) or ExitCode.OK
            except click.ClickException as error:
                raise _inert(error) from None
            except KeyboardInterrupt:
                ctx.exit(ExitCode.INTERRUPTED)
            except BrokenPipeError:
                raise  # the reader of our output is gone: click ends quietly
            except MemoryError as error:
                _fail(ctx, f"handoff: {str(error) or 'no memory left'}", ExitCode.FAILED)
            except OSError as error:
                message = f"{printable(str(error.filename or 'file'))}: {error.strerror}" if error.strerror else str(error)
                _fail(ctx, f"handoff: {message}", ExitCode.FAILED)
            except ValueError as error:
                _fail(ctx, "\n".join(map(printable, _lines(error))), ExitCode.INVALID_INPUT)
            except click.exceptions.Exit:
                raise
            except RuntimeError as error:
                from engine.results import ConservationError

                if STATE.last:  # a database turns the signal into an error of its own
                    ctx.exit(EXIT_BASE + STATE.last)
                if not isinstance(error, ConservationError):
                    raise
                _fail(ctx, f"handoff: a defect of the engine: {error}", ExitCode.FAILED)
            ctx.exit(code)


def _inert(error: click.ClickException) -> click.ClickException:
    # Click itself prints the message.
    error.message = printable(error.message, LAYOUT)  # type: ignore[misc]
    return error


def _lines(error: ValueError) -> Sequence[str]:
    """Return the lines of a message; a newline in the name of a file or key is not the end of one."""
    from engine.output_file import OutputError
    from handoff.scenario import ScenarioError
    from handoff_traces import TraceError

    if isinstance(error, ScenarioError):
        return error.problems
    if isinstance(error, OutputError):
        return [str(error)]
    return error.lines if isinstance(error, TraceError) else str(error).split("\n")


def _fail(ctx: click.Context, message: str, code: ExitCode) -> NoReturn:
    if STATE.last:  # the error is a consequence of the signal
        ctx.exit(EXIT_BASE + STATE.last)
    report(message)
    ctx.exit(code)

"""The `nadi` command: finds the file of the command that is called, and turns errors into one sentence and a status.

Exit status: 0 done; 1 the run failed; 2 the call was wrong; 3 a server, store or port could not be used.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

import click

from nadi._version import __version__
from nadi.exceptions import CannotServe, FlowNotFound, LoadError, NadiError, StoreError
from nadi.model.tracebacks import format_exception

DONE, RUN_FAILED, CALL_WRONG, STORE_UNUSABLE = 0, 1, 2, 3
#: A fault of ours: sysexits.h calls it EX_SOFTWARE. Nothing that a user does should lead here.
OUR_FAULT = 70
#: What shells call a program that Ctrl-C ended.
INTERRUPTED = 130

#: What a file that takes no more of our output says; files of our own that are full are no error of a command.
_OUTPUT_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)

#: What each command does, in the order of `nadi --help`; told here so that help loads none of them.
COMMANDS = {
    "run": "Run a flow.",
    "runs": "List runs, newest first.",
    "show": "Show one run: tasks, failures, artifacts, metrics.",
    "logs": "Show the log lines of a run, and follow them.",
    "why": "Explain why a run, or a task of it, is where it is.",
    "resume": "Continue a run that was cut off or suspended, or answer it.",
    "cancel": "Stop a run that is running.",
    "graph": "Draw the graph of a run, or of a flow before it ran.",
    "events": "List events, newest first.",
    "assets": "List assets, or show one: when and from what it was made.",
    "cache": "List and clear the cache.",
    "migrate": "Rewrite code for Prefect 1, 2 or 3 for Nadi.",
    "deploy": "Deploy what nadi.toml says, after showing what changes.",
    "deployments": "List deployments; show, pause, roll back, remove them.",
    "trigger": "Ask for a run of a deployment.",
    "schedules": "List schedules and their next instants; pause them.",
    "backfill": "Ask for runs for the instants of a schedule in a range.",
    "backfills": "List backfills; show, pause, resume, cancel them.",
    "queues": "List the queues of runs; pause and limit them.",
    "workers": "List the workers that there are.",
    "worker": "Start runs of deployments, as they come due.",
    "serve": "Run background tasks: what task.delay() asks for.",
    "server": "Serve the HTTP API and the web page of what is recorded.",
    "limits": "List, make and remove concurrency limits.",
    "retention": "Say how long finished runs are kept, and remove old ones.",
    "users": "Manage the users of a server: roles, passwords.",
    "keys": "Manage API keys.",
    "audit": "List who changed what.",
    "check": "Check flow files and deployments: imports, parameters, schedules.",
    "db": "Look after the database: status, upgrade, backup.",
    "doctor": "Check this installation, its home and its store.",
    "completion": "Print the script that completes commands and run names.",
}

EXAMPLES = """\b
Examples:
  nadi run flow.py:my_flow -p rows=1000
  nadi runs --since 1d
  nadi resume brave-otter-7
"""


class Commands(click.Group):
    """The group of all commands; a command's file is loaded when that command is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = importlib.import_module(f"nadi.cli.{cmd_name}").command
        assert isinstance(found, click.Command)
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            raise click.UsageError(f"There is no command {args[0]!r}.{_did_you_mean(args[0])}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[Any]:
        # Loads click's completion module, which nothing else needs.
        from click.shell_completion import CompletionItem

        items = [CompletionItem(name, help=text) for name, text in COMMANDS.items() if name.startswith(incomplete)]
        return [*items, *click.Command.shell_complete(self, ctx, incomplete)]


def _did_you_mean(wanted: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(wanted, COMMANDS, 1)
    return f" Did you mean {near[0]!r}?" if near else " `nadi --help` lists the commands."


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"nadi {__version__}")
        ctx.exit()


@click.group(
    cls=Commands,
    epilog=EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Show the version."
)
def cli() -> None:
    """Run Python flows, look at them, and continue them where they stopped.

    A run is known by its name, its id, or a unique beginning of its id.
    """


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit status; every error is one sentence on standard error."""
    _make_output_safe()
    try:
        status = cli.main(args=args, prog_name="nadi", standalone_mode=False, color=_color())
        sys.stdout.flush()
        return status if isinstance(status, int) else DONE
    except click.exceptions.NoArgsIsHelpError as error:
        click.echo(error.format_message())
        return CALL_WRONG
    except click.ClickException as error:
        _tell_click_error(error)
        return CALL_WRONG
    except click.exceptions.Abort:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except KeyboardInterrupt:
        click.echo("Interrupted.", err=True)
        return INTERRUPTED
    except (BrokenPipeError, SystemExit):
        # Who reads our output has seen enough (`nadi runs | head`): click leaves by SystemExit then.
        _let_go_of_output()
        return DONE
    except NadiError as error:
        _tell_cause(error)
        click.echo(f"Error: {error}", err=True)
        return STORE_UNUSABLE if isinstance(error, StoreError | CannotServe) else CALL_WRONG
    except OSError as error:
        if error.errno not in _OUTPUT_FULL:
            return _tell_our_fault(error)
        _let_go_of_output()
        click.echo(f"Error: The output cannot be written: {error.strerror}.", err=True)
        return STORE_UNUSABLE
    except Exception as error:
        return _tell_our_fault(error)


def _let_go_of_output() -> None:
    # Python would complain once more at its end, when it closes what cannot be written.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _color() -> bool | None:
    """Return `False` where colour is not wanted, `None` to let the terminal decide."""
    return False if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" else None


def _make_output_safe() -> None:
    # A stream that the caller closed is none at all, and the next file opened would take its number.
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - open until the end
    # A terminal that cannot show a character of a run's name must not end the command.
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="replace")


def _tell_click_error(error: click.ClickException) -> None:
    message = error.format_message()
    context = getattr(error, "ctx", None)
    hint = f"\nTry `{context.command_path} --help`." if context is not None and "--help`" not in message else ""
    click.echo(f"Error: {message}{hint}", err=True)


def _tell_cause(error: NadiError) -> None:
    """Show the user's frames when it was their code that raised while it was loaded."""
    cause = error.__cause__
    told_by_its_sentence = isinstance(cause, SyntaxError | ImportError | OSError | NadiError)
    is_load = isinstance(error, LoadError) and not isinstance(error, FlowNotFound)
    if is_load and isinstance(cause, Exception) and not told_by_its_sentence:
        click.echo(format_exception(cause).rstrip(), err=True)


def _tell_our_fault(error: Exception) -> int:
    if os.environ.get("NADI_DEBUG"):
        traceback.print_exc()
    click.echo(
        f"Error: nadi itself failed with {type(error).__name__}: {error}."
        " This is a fault of Nadi's; NADI_DEBUG=1 shows where it happened. Please report it.",
        err=True,
    )
    return OUR_FAULT

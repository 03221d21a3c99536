"""The `vidstyle` command: finds the subcommand, and turns every end into an exit code."""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Sequence

import click

from vidstyle.cli.bench import bench
from vidstyle.cli.compare import compare
from vidstyle.cli.evaluate import evaluate
from vidstyle.cli.options import Settings, debug_option
from vidstyle.cli.run import run
from vidstyle.cli.signals import Terminated, signals_unwind
from vidstyle.cli.styles import styles
from vidstyle.cli.train import train
from vidstyle.errors import ResourceError, VidstyleError, is_shortage
from vidstyle.jobs.prefetch import any_left_behind
from vidstyle.jobs.text import clean

_BUG, _INTERRUPTED, _TERMINATED = 1, 130, 143


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="vidstyle", message="%(prog)s %(version)s")
@debug_option
def cli() -> None:
    """Turn a video into a painting that holds still.

    \b
    vidstyle run clip.mp4 --style monet      paints clip.monet.mp4, sound and all
    vidstyle styles                          lists the styles there are
    vidstyle train starry.jpg --photos dir   learns a style of your own
    vidstyle bench                           measures how fast it is here
    vidstyle eval clip.mp4 clip.monet.mp4    measures how steady the painting is
    vidstyle compare clip.mp4 a.mp4 b.mp4    shows which of them holds still
    """


cli.add_command(compare)
cli.add_command(evaluate)
cli.add_command(run)
cli.add_command(styles)
cli.add_command(train)
cli.add_command(bench)


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code. A user meets one line, never a traceback."""
    code = _end_of(args)
    if any_left_behind():  # an interpreter that ends beside such a thread may crash
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def _end_of(args: Sequence[str] | None) -> int:
    stdout = sys.stdout
    settings = Settings(debug=bool(os.environ.get("VIDSTYLE_DEBUG")))
    try:
        with signals_unwind():
            code = cli.main(args, prog_name="vidstyle", standalone_mode=False, obj=settings)
            sys.stdout.flush()
            return code if isinstance(code, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return error.exit_code
    except BaseException as error:
        # The reader of our output may have gone, as `head` does: click exits with another stdout.
        if sys.stdout is not stdout or _is_of_broken_pipe(error):
            os.dup2(os.open(os.devnull, os.O_WRONLY), stdout.fileno())
            return 0
        if settings.debug:
            for line in traceback.format_exc().splitlines():
                print(clean(line), file=sys.stderr)
        message, code = _verdict(error)
        print(f"vidstyle: {clean(message)}", file=sys.stderr)
        return code


def _is_of_broken_pipe(error: BaseException | None) -> bool:
    """Whether that is what it is, or what came before it: rich exits then."""
    while error is not None and not isinstance(error, BrokenPipeError):
        error = error.__context__
    return error is not None


def _verdict(error: BaseException) -> tuple[str, int]:
    """What to say of an error, in one line, and the exit code that goes with it."""
    match error:
        case VidstyleError():
            return str(error), error.exit_code
        case click.ClickException():
            return f"{error.format_message()} {_where_help_is(error)}", error.exit_code
        case click.Abort() | KeyboardInterrupt():
            return "stopped", _INTERRUPTED
        case Terminated():
            return "stopped from outside", _TERMINATED
        case OSError():
            return re.sub(r"^\[Errno -?\d+\] ", "", str(error)), ResourceError.exit_code
    if is_shortage(error):
        return "out of memory; try a smaller clip or --tier fast", ResourceError.exit_code
    name = type(error).__name__
    return f"a bug, please report it: {name}: {error} (--debug shows where)", _BUG


def _where_help_is(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    return f"(see {context.command_path if context else 'vidstyle'} --help)"

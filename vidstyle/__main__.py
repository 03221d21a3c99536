"""The command `vidstyle`, also as `python -m vidstyle`."""

import sys


def main() -> int:
    """Run the command line; return its exit code."""
    try:
        from vidstyle.cli.main import main as run
    except KeyboardInterrupt:  # while libraries are loaded; from then on the command tells it
        print("vidstyle: interrupted", file=sys.stderr)
        return 130
    return run()


if __name__ == "__main__":
    sys.exit(main())

"""Start the command line; Ctrl-C while it is still being loaded ends it in one sentence as well."""

import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        from rramlab.cli import main as run

        run()
    except KeyboardInterrupt:
        print("error: interrupted", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()

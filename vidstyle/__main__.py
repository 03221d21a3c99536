"""`python -m vidstyle` is the command line."""

import sys

from vidstyle.cli.main import main

sys.exit(main())

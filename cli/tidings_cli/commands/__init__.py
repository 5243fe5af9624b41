"""One module for each subcommand: `register(subparsers)` describes it, `run(args)` does it and returns the exit code.

A module's own imports stay light, since `tidings --help` imports every one; what is heavy is imported in `run`.
"""

"""What the HTTP API is, as OpenAPI 3.1: `python -m tidings_cli.openapi` writes functions/openapi/openapi.json.

    answers/   the shapes of answers, where the package has no model of them      routes/   every route, by subject
    codes.py   the codes of errors, from docs/developers.md                       document.py   puts all together

Functions do not import this: one of them serves the file. What it says is checked against the template's routes, and
against what the functions answer (tests/infrastructure/test_openapi.py, tests/functional/test_openapi_*.py).
"""

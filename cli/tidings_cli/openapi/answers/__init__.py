"""The shapes of answers, one module a subject. A field that can be missing says so; all others are always there."""

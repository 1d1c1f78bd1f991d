"""nbformat, a second sooner: with it jsonschema compiles a grammar of web addresses, and no notebook's schema has one."""

import sys

sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

import nbformat

__all__ = ["nbformat"]

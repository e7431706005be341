"""What the portal must never hold: a model's libraries, or anything that would unpickle."""

import ast
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FORBIDDEN = {"sklearn", "joblib", "skops", "cloudpickle", "dill", "pandas", "numpy"}


def test_portal_with_everything_loaded_holds_no_model_library():
    code = f"""
import django, sys
django.setup()
from django.urls import get_resolver
get_resolver().url_patterns
import portal.registry.management.commands.load_samples
print(sorted({FORBIDDEN!r} & set(sys.modules)))
"""
    environment = os.environ | {"DJANGO_SETTINGS_MODULE": "portal.settings", "PORTICO_ENV": "local"}

    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
    )

    assert done.stdout.strip() == "[]"


def test_portal_code_names_no_unpickler_outside_the_scanner():
    users = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "portal").rglob("*.py")
        if "pickle" in _imported(ast.parse(path.read_text("utf-8"))) and "scanner" not in path.parts
    ]

    assert users == []


def _imported(tree: ast.AST) -> set[str]:
    names = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    names |= {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in names}

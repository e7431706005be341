"""What the image's build makes of libraries' sources: lambda_docker/byte_code.py and deferring.py."""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import scipy

import byte_code
from deferring import defer, names_taken

LIBRARIES = Path(scipy.__file__).parents[1]
# Everything that scikit-learn takes from what it shall not wait for: what it gives, and when it is there.
USES = """
import json, sys, warnings
import numpy as np
import sklearn.compose, sklearn.covariance, sklearn.ensemble, sklearn.linear_model, sklearn.preprocessing
from sklearn.experimental import enable_iterative_imputer
from sklearn import feature_selection, impute, isotonic, metrics, model_selection
early = [name for name in ("scipy.stats", "scipy.integrate", "scipy.interpolate") if name in sys.modules]
warnings.simplefilter("ignore")
chance = np.random.default_rng(0)
X, y = chance.normal(size=(60, 3)), chance.integers(0, 2, 60)
holes = np.where(chance.random(X.shape) < 0.2, np.nan, X)
results = {
    "auc": metrics.roc_auc_score(y, X[:, 0]),
    "ranking": metrics.label_ranking_average_precision_score(np.eye(3)[y], X),
    "search": model_selection.GridSearchCV(
        sklearn.linear_model.Ridge(), {"alpha": [0.1, 1, 10]}).fit(X, y).cv_results_["rank_test_score"].tolist(),
    "isotonic": isotonic.IsotonicRegression(increasing="auto", out_of_bounds="clip").fit(X[:, 0], y).predict(X[:9, 1]),
    "quantiles": sklearn.preprocessing.QuantileTransformer(
        n_quantiles=20, output_distribution="normal").fit_transform(X)[:9],
    "powers": sklearn.preprocessing.PowerTransformer().fit_transform(X)[:9],
    "robust": sklearn.preprocessing.RobustScaler(unit_variance=True).fit_transform(X)[:9],
    "splines": sklearn.preprocessing.SplineTransformer().fit_transform(X)[:9],
    "imputed": impute.IterativeImputer(sample_posterior=True, random_state=0, max_iter=2).fit_transform(holes)[:9],
    "frequent": impute.SimpleImputer(strategy="most_frequent").fit_transform(holes)[:9],
    "covariance": sklearn.covariance.MinCovDet(random_state=0).fit(X).covariance_,
    "path": sklearn.linear_model.LassoLarsCV(cv=3).fit(X, y).coef_,
    "f": feature_selection.f_regression(X, y)[1],
    "boosted": sklearn.ensemble.HistGradientBoostingClassifier(
        max_iter=5).fit(X, y + (X[:, 0] > 1)).predict_proba(X[:9]),
}
print(json.dumps({"early": early, **{name: np.asarray(found).tolist() for name, found in results.items()}}))
"""


def changed(text: str, *, keep: tuple[str, ...] = ()) -> str | None:
    tree = ast.parse(text)
    return ast.unparse(tree) if defer(tree, ["scipy.stats"], keep=keep) else None


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("from scipy.stats import a, b\nb()\ndef f():\n    'Doc.'\n    return a()",
         'from scipy.stats import b\nb()\n\ndef f():\n    """Doc."""\n    from scipy.stats import a\n    return a()'),
        ("from scipy import sparse, stats as s\ndef f():\n    return s.norm",
         "from scipy import sparse\n\ndef f():\n    from scipy import stats as s\n    return s.norm"),
        ("import scipy.stats as s\nclass A:\n    def f(self):\n        return [s.norm for _ in (1,)]",
         "class A:\n\n    def f(self):\n        import scipy.stats as s\n        return [s.norm for _ in (1,)]"),
        ("import scipy.stats\nx = scipy.stats", "import scipy\nx = scipy.stats"),
        ("from scipy.stats import a\ndef f():\n    def g():\n        return a\n    return g",
         "def f():\n    from scipy.stats import a\n\n    def g():\n        return a\n    return g"),
        ("from scipy.stats import a", ""),
    ],
)  # fmt: skip
def test_import_that_functions_alone_use_moves_into_them(before: str, after: str) -> None:
    assert changed(before) == after


@pytest.mark.parametrize(
    "use",
    [
        "x = a",
        "class A(a): pass",
        "class A:\n    x = a",
        "@a\ndef f(): pass",
        "def f(x=a): pass",
        "def f(x: a): pass",
        "def f() -> a: pass",
        "f = lambda: a",
        "x = [a for _ in (1,)]",
        "def f(a): return a",
        "def f():\n    a = 1\n    return a",
        "def f():\n    global a\n    a = 1",
        "def f():\n    for a in (): pass",
        "def f():\n    try: pass\n    except OSError as a: print(a)",
        "def f(x):\n    match x:\n        case [*a]: print(a)",
        "def a(): pass",
        "try:\n    from other import a\nexcept ImportError: pass",
        "def f():\n    from other import a\n    return a",
    ],
)
def test_import_that_is_used_or_bound_otherwise_stays(use: str) -> None:
    assert changed(f"from scipy.stats import a\n{use}\ndef last():\n    return a") is None


def test_import_that_others_take_from_here_stays() -> None:
    taken = names_taken(
        [
            ("p", ast.parse("from p.m import a")),
            ("p.q", ast.parse("from ..n import b")),
            ("p", ast.parse("from .o import *")),
        ]
    )

    assert taken == {"p.m": {"a"}, "p.n": {"b"}, "p.o": {"*"}}
    for names in taken.values():
        assert changed("from scipy.stats import a, b\ndef f():\n    return a, b", keep=tuple(names)) != changed(
            "from scipy.stats import a, b\ndef f():\n    return a, b"
        )


def test_moved_import_leaves_every_line_where_it_was() -> None:
    tree = ast.parse("from scipy.stats import a\n\n\ndef f():\n    return a()\n")

    defer(tree, ["scipy.stats"])

    function = tree.body[0]
    assert [node.lineno for node in (function, *function.body)] == [4, 5, 5]


def test_scikit_learn_starts_without_what_it_seldom_needs_and_answers_as_before(tmp_path: Path) -> None:
    left_out = shutil.ignore_patterns("tests", "__pycache__")
    for folder in (LIBRARIES / "sklearn", *LIBRARIES.glob("scikit_learn.libs")):
        shutil.copytree(folder, tmp_path / folder.name, ignore=left_out)
    subprocess.run([sys.executable, byte_code.__file__, str(tmp_path)], check=True)

    ready, plain = run(USES, tmp_path), run(USES, LIBRARIES)

    assert not list(tmp_path.rglob("*.py"))
    assert ready.pop("early") == []
    assert plain.pop("early") == ["scipy.stats", "scipy.integrate", "scipy.interpolate"]
    assert ready == plain


def run(script: str, libraries: Path) -> dict[str, Any]:
    environment = {**os.environ, "PYTHONPATH": str(libraries)}
    done = subprocess.run(
        [sys.executable, "-c", script], env=environment, check=True, stdout=subprocess.PIPE, text=True
    )
    return json.loads(done.stdout)


def test_edits_of_the_pinned_releases_do_nothing_else(tmp_path: Path) -> None:
    names = {name for name, _, _ in byte_code.EDITS}
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(LIBRARIES / name, tmp_path / name)

    byte_code.edit(tmp_path)

    for name in names:
        expected = (LIBRARIES / name).read_text("utf-8")
        for edited, old, new in byte_code.EDITS:
            if edited == name:
                assert old in expected
                expected = expected.replace(old, new)
        assert (tmp_path / name).read_text("utf-8") == expected


def test_edits_of_another_release_end_the_build(tmp_path: Path) -> None:
    (tmp_path / "scipy/_lib").mkdir(parents=True)
    (tmp_path / "scipy/_lib/_array_api.py").write_text("def decorator(f):\n    return f\n")

    with pytest.raises(ValueError, match=r"_array_api\.py no longer has the line"):
        byte_code.edit(tmp_path)


def test_package_that_has_nothing_to_defer_ends_the_build(tmp_path: Path) -> None:
    (tmp_path / "sklearn").mkdir()
    (tmp_path / "sklearn/base.py").write_text("from scipy.special import expit\n")

    with pytest.raises(ValueError, match=r"sklearn no longer imports scipy\.stats"):
        byte_code.defer_imports(tmp_path)


def test_folder_without_these_libraries_is_compiled_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "extra.py").write_text('"""Doc."""\n\n\ndef f():\n    """Doc."""\n')

    subprocess.run([sys.executable, byte_code.__file__, str(tmp_path)], check=True)

    assert [path.name for path in tmp_path.iterdir()] == ["extra.pyc"]
    assert run("import extra, json; print(json.dumps({'f': extra.f(), 'doc': extra.__doc__}))", tmp_path) == {
        "f": None,
        "doc": None,
    }

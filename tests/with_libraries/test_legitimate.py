"""pandas, numpy and scikit-learn by dynamic calls: what they are used for works, what is denied of them does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sklearn.ensemble
import sklearn.pipeline
from unit.calls.desk import VERBS, Desk

assert sklearn.ensemble
assert sklearn.pipeline  # imported here because they write to the environment, which tests must leave alone

ALLOW = ["pandas", "numpy", "sklearn.*"]
DENY = [
    "pandas.read_pickle", "pandas.eval", "pandas.DataFrame.eval", "pandas.DataFrame.query", "numpy.load",
    "pandas.DataFrame.values",
]  # fmt: skip

FRAME: list[tuple[str, list[Any]]] = [
    ("stored.df.head", [2]),
    ("stored.df.dropna", []),
    ("stored.df.describe", []),
    ("stored.df.groupby", ["c"]),
    ("stored.df.shape", []),
    ("stored.df.columns", []),
    ("stored.df.columns.tolist", []),
    ("stored.df.dtypes", []),
    ("stored.df.iloc", []),
    ("stored.df.iloc.__getitem__", [0]),
    ("stored.df.loc.__getitem__", [0]),
    ("stored.df.a", []),
    ("stored.df.a.mean", []),
    ("stored.df.a.fillna", [0]),
    ("stored.df.a.to_list", []),
    ("stored.df.c.str.upper", []),
    ("stored.df.T", []),
    ("stored.df.to_dict", []),
    ("stored.df.to_numpy", []),
    ("stored.df.merge", [{"$ref": "df"}]),
    ("stored.df.apply", [{"$ref": "mean"}]),
    ("stored.df.__getitem__", ["a"]),
    ("stored.df.__len__", []),
    ("stored.df.__contains__", ["a"]),
    ("stored.df.__iter__", []),
    ("stored.df.isna.__call__", []),
    ("stored.df.plot", []),
    ("pandas.DataFrame", [{"a": [1]}]),
    ("pandas.DataFrame.from_dict", [{"a": [1]}]),
    ("pandas.DataFrame.from_records", [[[1]]]),
    ("pandas.Series", [[1, 2]]),
    ("pandas.concat", [[{"$ref": "df"}, {"$ref": "df"}]]),
    ("pandas.to_datetime", ["2026-01-01"]),
    ("pandas.Timestamp", ["2026-01-01"]),
    ("pandas.NA", []),
    ("pandas.date_range", ["2026-01-01", "2026-01-03"]),
    ("numpy.array", [[1, 2]]),
    ("numpy.mean", [{"$ref": "array"}]),
    ("numpy.add", [1, 2]),
    ("numpy.pi", []),
    ("numpy.float64", [1.5]),
    ("numpy.zeros", [3]),
    ("stored.array.sum", []),
    ("stored.array.shape", []),
    ("stored.array.T", []),
    ("stored.array.__getitem__", [0]),
    ("stored.array.astype", ["float32"]),
    ("stored.word.upper", []),
]


@pytest.fixture
def desk() -> Desk:
    desk = Desk(allow=ALLOW, deny=DENY)
    desk.keep("df", pd.DataFrame({"a": [1.0, 2.0, None], "b": [4, 5, 6], "c": ["x", "y", "x"]}))
    desk.keep("array", np.arange(4))
    desk.keep("word", np.str_("{0.__class__}"))
    desk.keep("mean", np.size)
    return desk


@pytest.mark.capability("K07")
def test_frames_and_arrays_are_used_as_anywhere(desk: Desk) -> None:
    outcomes = {target: desk.tried("call", target, *args) for target, args in FRAME if target != "stored.df.plot"}
    assert {target: outcome for target, outcome in outcomes.items() if outcome != "OK"} == {}
    assert desk.tried("attribute", "stored.df.plot") in ("OK", "ImportError: matplotlib is required for plotting")


@pytest.mark.capability("K07")
def test_what_is_denied_of_them_is_found_under_no_name(desk: Desk) -> None:
    attacks = [
        "pandas.read_pickle", "pandas.io.pickle.read_pickle", "pandas.io.api.read_pickle", "pandas.eval",
        "pandas.core.computation.eval.eval", "pandas.core.computation.api.eval", "pandas.DataFrame.eval",
        "pandas.DataFrame.query", "pandas.core.frame.DataFrame.query", "stored.df.eval", "stored.df.query",
        "stored.df.values", "pandas.DataFrame.values", "numpy.load", "numpy.lib.npyio.load", "numpy.lib.load",
        "pandas.io.pickle.pickle.loads", "pandas.compat.os.system", "pandas.io.common.os.system",
        "pandas.np.load", "stored.word.format", "stored.word.format_map", "numpy.str_.format", "numpy.core.os.system",
        "pandas.DataFrame.mro", "pandas.DataFrame.__init__", "sklearn.utils.os.system", "sklearn.base.pickle.loads",
        "sklearn.utils.joblib.load", "sklearn.externals.joblib.load", "sklearn.datasets.os.system",
    ]  # fmt: skip
    for allow in (ALLOW, ["pandas.*", "numpy.*", "sklearn.*"]):
        hostile = Desk(allow=allow, deny=DENY)
        for key in ("df", "word"):
            hostile.keep(key, desk.sessions.get("a").objects.get(key))
        tried = {target: {hostile.tried(verb, target) for verb in VERBS[:4]} for target in attacks}
        open_ones = {target: reasons for target, reasons in tried.items() if reasons != {"TARGET_NOT_ALLOWED"}}
        assert all(reasons == {"TARGET_NOT_FOUND"} for reasons in open_ones.values()), open_ones


@pytest.mark.capability("K07")
def test_model_is_trained_and_asked_in_one_pipeline(desk: Desk, tmp_path: Path) -> None:
    table = tmp_path / "sales.csv"
    table.write_text("x,y\n" + "\n".join(f"{number},{2 * number}" for number in range(40)) + "\n,\n")
    forest = {"n_estimators": 5, "random_state": 0}
    steps: list[dict[str, Any]] = [
        {"target": "pandas.read_csv", "args": [str(table)], "store_as": "sales"},
        {"target": "stored.sales.dropna", "store_as": "clean"},
        {"target": "sklearn.model_selection.train_test_split",
         "args": [{"$ref": "clean", "path": ["x"]}, {"$ref": "clean", "path": ["y"]}], "store_as": "parts"},
        {"target": "stored.clean.__getitem__", "args": [["x"]]},
        {"target": "sklearn.ensemble.RandomForestRegressor", "kwargs": forest, "store_as": "forest"},
        {"target": "stored.forest.fit", "args": [{"$step": 3}, {"$ref": "clean", "path": ["y"]}]},
        {"target": "stored.forest.predict", "args": [{"$step": 3}], "store_as": "guesses"},
        {"target": "stored.guesses.tolist"},
        {"target": "stored.forest.score", "args": [{"$step": 3}, {"$ref": "clean", "path": ["y"]}]},
    ]  # fmt: skip
    results = desk.ask("pipeline", steps=steps)["pipeline_results"]
    assert len(results[-2]["result"]) == 40
    assert results[-1]["result"] > 0.9


@pytest.mark.capability("K07")
def test_estimators_and_what_they_inherit_are_used_as_anywhere(desk: Desk) -> None:
    desk.ask("call", target="sklearn.linear_model.LinearRegression", store_as="line")
    desk.ask("call", target="sklearn.preprocessing.StandardScaler", store_as="scaler")
    desk.ask("call", target="sklearn.pipeline.make_pipeline",
             args=[{"$ref": "scaler"}, {"$ref": "line"}], store_as="both")  # fmt: skip
    data = [[0.0], [1.0], [2.0]]
    for target, args in [
        ("stored.line.fit", [data, [0, 1, 2]]),
        ("stored.line.coef_", []),
        ("stored.line.predict", [[[3.0]]]),
        ("stored.line.get_params", []),
        ("stored.scaler.fit_transform", [data]),
        ("stored.scaler.mean_", []),
        ("stored.both.fit", [data, [0, 1, 2]]),
        ("stored.both.predict", [[[3.0]]]),
        ("stored.both.named_steps", []),
        ("stored.both.score", [data, [0, 1, 2]]),
        ("sklearn.base.clone", [{"$ref": "line"}]),
        ("sklearn.datasets.make_blobs", [10]),
        ("sklearn.metrics.accuracy_score", [[1], [1]]),
    ]:
        assert desk.tried("call", target, *args) == "OK", target
    desk.ask("set_attribute", target="stored.line.fit_intercept", value=False)

"""Run both pipelines through the Python client.

    python python_client.py

Run it in this folder, in an environment with bridge-dspy, pandas and scikit-learn.
"""

from bridge_core import Bridge, Step

POLICY = {
    "allow": ["pandas", "sklearn.*", "numpy"],
    "deny": ["pandas.eval", "pandas.DataFrame.eval", "pandas.DataFrame.query", "pandas.read_pickle", "numpy.load"],
}

complete = Step("stored.measured.dropna", store_as="complete")
features = Step("stored.complete.drop", columns=["weight"])
parts = features, complete.item("weight")
split = Step("sklearn.model_selection.train_test_split", *parts, test_size=0.1, random_state=0)
forest = Step("sklearn.ensemble.RandomForestRegressor", n_estimators=20, random_state=0, store_as="forest")
data_science = [
    Step("pandas.read_csv", "measurements.csv", store_as="measured"),
    complete,
    features,
    split,
    forest,
    Step("stored.forest.fit", split.item(0), split.item(2)),
    Step("stored.forest.predict", split.item(1), store_as="predicted"),
    Step("stored.predicted.tolist"),
    Step("stored.forest.score", split.item(1), split.item(3)),
]

lm = Step("dspy.LM", "embedded", store_as="lm")
dspy = [
    lm,
    Step("dspy.configure", lm=lm),
    Step("dspy.ChainOfThought", "question -> answer", store_as="qa"),
    Step("stored.qa.__call__", question="Why do bridges have arches?", store_as="prediction"),
    Step("stored.prediction.answer"),
]

with Bridge("dspy", policy=POLICY) as bridge:
    *_, predictions, score = bridge.pipeline(data_science)
    print("predicted", " ".join(f"{one:.2f}" for one in predictions))
    print("score", f"{score:.2f}")
    print("answer", bridge.pipeline(dspy)[-1])

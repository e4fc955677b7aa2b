"""A pipeline of four steps, declared as a graph: `python examples/ml_pipeline.py`, then `nadi show RUN`."""

from nadi import Flow, task


@task
def extract_data() -> None:
    print("Extracting data...")


@task
def preprocess_data() -> None:
    print("Preprocessing data...")


@task
def train_model() -> None:
    print("Training ML model...")


@task
def evaluate_model() -> None:
    print("Evaluating ML model...")


with Flow("ml_pipeline") as flow:
    data = extract_data()
    processed = preprocess_data(upstream_tasks=[data])
    model = train_model(upstream_tasks=[processed])
    evaluate_model(upstream_tasks=[model])

flow.run()

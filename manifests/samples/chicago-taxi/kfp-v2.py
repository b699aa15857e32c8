"""The application as a pipeline for Kubeflow Pipelines v2: python kfp-v2.py writes kfp-v2.yaml (needs kfp and kfp-kubernetes, 2.14 or later)."""
from kfp import compiler, dsl, kubernetes
from kfp.dsl import Artifact, Dataset, Input, Model, Output

IMAGE = "registry.example/chicago-taxi:1.0"


@dsl.container_component
def fetch_train(year: int, rows: int, trips: Output[Dataset]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["python3", "/taxi.py", "fetch"], args=["--year", year, "--rows", rows, "--trips", trips.path])


@dsl.container_component
def fetch_test(year: int, rows: int, trips: Output[Dataset]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["python3", "/taxi.py", "fetch"], args=["--year", year, "--rows", rows, "--trips", trips.path])


@dsl.container_component
def train(trips: Input[Dataset], model: Output[Model]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["python3", "/taxi.py", "train"], args=["--trips", trips.path, "--model", model.path])


@dsl.container_component
def prepare(trips: Input[Dataset], features: Output[Dataset], truth: Output[Dataset]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["python3", "/taxi.py", "prepare"],
        args=["--trips", trips.path, "--features", features.path, "--truth", truth.path])


@dsl.container_component
def predict(features: Input[Dataset], model: Input[Model], predictions: Output[Dataset]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["python3", "/taxi.py", "predict"],
        args=["--features", features.path, "--model", model.path, "--predictions", predictions.path])


@dsl.container_component
def evaluate(predictions: Input[Dataset], truth: Input[Dataset], accuracy: Output[Artifact]):
    return dsl.ContainerSpec(
        image=IMAGE, command=["python3", "/taxi.py", "evaluate"],
        args=["--predictions", predictions.path, "--truth", truth.path, "--accuracy", accuracy.path])


@dsl.pipeline(name="chicago-taxi", description="Tips of taxi passengers with XGBoost; trained on the big machines, predicted near those who ask")
def chicago_taxi():
    fetch_train_task = fetch_train(year=2018, rows=50000)
    fetch_test_task = fetch_test(year=2019, rows=5000)

    train_task = train(trips=fetch_train_task.outputs["trips"])
    kubernetes.add_pod_label(train_task, "typeOfComponent", "Training")

    prepare_task = prepare(trips=fetch_test_task.outputs["trips"])

    predict_task = predict(features=prepare_task.outputs["features"], model=train_task.outputs["model"])
    kubernetes.add_pod_label(predict_task, "typeOfComponent", "Predict")
    kubernetes.add_pod_label(predict_task, "OurLocation", "HOME-EDGE")

    evaluate(predictions=predict_task.outputs["predictions"], truth=prepare_task.outputs["truth"])


if __name__ == "__main__":
    compiler.Compiler().compile(chicago_taxi, __file__.replace(".py", ".yaml"))

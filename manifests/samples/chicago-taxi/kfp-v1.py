"""The application as a pipeline for Kubeflow Pipelines v1: python kfp-v1.py writes kfp-v1.yaml (needs kfp 1.8)."""
from kfp import compiler, components, dsl

fetch_train_op = components.load_component_from_text("""
name: Fetch train
inputs: [{name: year, type: Integer}, {name: rows, type: Integer}]
outputs: [{name: trips, type: CSV}]
implementation:
  container:
    image: registry.example/chicago-taxi:1.0
    command: [python3, /taxi.py, fetch]
    args: [--year, {inputValue: year}, --rows, {inputValue: rows}, --trips, {outputPath: trips}]
""")

fetch_test_op = components.load_component_from_text("""
name: Fetch test
inputs: [{name: year, type: Integer}, {name: rows, type: Integer}]
outputs: [{name: trips, type: CSV}]
implementation:
  container:
    image: registry.example/chicago-taxi:1.0
    command: [python3, /taxi.py, fetch]
    args: [--year, {inputValue: year}, --rows, {inputValue: rows}, --trips, {outputPath: trips}]
""")

train_op = components.load_component_from_text("""
name: Train
inputs: [{name: trips, type: CSV}]
outputs: [{name: model, type: XGBoostModel}]
implementation:
  container:
    image: registry.example/chicago-taxi:1.0
    command: [python3, /taxi.py, train]
    args: [--trips, {inputPath: trips}, --model, {outputPath: model}]
""")

prepare_op = components.load_component_from_text("""
name: Prepare
inputs: [{name: trips, type: CSV}]
outputs: [{name: features, type: CSV}, {name: truth, type: CSV}]
implementation:
  container:
    image: registry.example/chicago-taxi:1.0
    command: [python3, /taxi.py, prepare]
    args: [--trips, {inputPath: trips}, --features, {outputPath: features}, --truth, {outputPath: truth}]
""")

predict_op = components.load_component_from_text("""
name: Predict
inputs: [{name: features, type: CSV}, {name: model, type: XGBoostModel}]
outputs: [{name: predictions, type: CSV}]
implementation:
  container:
    image: registry.example/chicago-taxi:1.0
    command: [python3, /taxi.py, predict]
    args: [--features, {inputPath: features}, --model, {inputPath: model}, --predictions, {outputPath: predictions}]
""")

evaluate_op = components.load_component_from_text("""
name: Evaluate
inputs: [{name: predictions, type: CSV}, {name: truth, type: CSV}]
outputs: [{name: accuracy, type: Float}]
implementation:
  container:
    image: registry.example/chicago-taxi:1.0
    command: [python3, /taxi.py, evaluate]
    args: [--predictions, {inputPath: predictions}, --truth, {inputPath: truth}, --accuracy, {outputPath: accuracy}]
""")


@dsl.pipeline(name="Chicago taxi", description="Tips of taxi passengers with XGBoost; trained on the big machines, predicted near those who ask")
def chicago_taxi():
    fetch_train = fetch_train_op(year=2018, rows=50000)
    fetch_test = fetch_test_op(year=2019, rows=5000)

    train = train_op(fetch_train.outputs["trips"])
    train.add_pod_label("typeOfComponent", "Training")

    prepare = prepare_op(fetch_test.outputs["trips"])

    predict = predict_op(features=prepare.outputs["features"], model=train.outputs["model"])
    predict.add_pod_label("typeOfComponent", "Predict")
    predict.add_pod_label("OurLocation", "HOME-EDGE")

    evaluate_op(predictions=predict.outputs["predictions"], truth=prepare.outputs["truth"])


if __name__ == "__main__":
    compiler.Compiler().compile(chicago_taxi, __file__.replace(".py", ".yaml"))

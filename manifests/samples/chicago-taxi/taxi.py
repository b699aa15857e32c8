"""The six steps of the application: will a passenger of a Chicago taxi tip at least a fifth of the fare?

One program, one verb a step, files in and files out; the pipelines beside this file only say which file goes where.
fetch, prepare and evaluate need Python alone, train and predict the package xgboost.
"""
import argparse
import csv
import pathlib
import urllib.parse
import urllib.request

TRIPS = "https://data.cityofchicago.org/resource/wrvz-psew.csv"
FEATURES = ["trip_seconds", "trip_miles", "pickup_community_area", "dropoff_community_area", "fare", "extras"]
TIP = "tips"


def fetch(year, rows, trips):
    """A sample of one year's trips, as CSV with a header."""
    query = urllib.parse.urlencode({
        "$select": ",".join([TIP, *FEATURES]),
        "$where": f"trip_start_timestamp between '{year}-01-01T00:00:00' and '{year}-12-31T23:59:59' and fare > 0",
        "$limit": rows,
    })
    with urllib.request.urlopen(f"{TRIPS}?{query}", timeout=60) as answer:
        write(trips, answer.read().decode())


def train(trips, model):
    import xgboost

    rows, tipped = split(trips)
    booster = xgboost.train({"objective": "binary:logistic", "max_depth": 6}, matrix(rows, tipped), num_boost_round=100)
    path(model).write_bytes(booster.save_raw("json"))


def prepare(trips, features, truth):
    """The trips without their answers, and the answers alone."""
    rows, tipped = split(trips)
    write(features, "".join(",".join(row) + "\n" for row in [FEATURES, *rows]))
    write(truth, "".join(f"{t}\n" for t in tipped))


def predict(features, model, predictions):
    import xgboost

    booster = xgboost.Booster()
    booster.load_model(bytearray(pathlib.Path(model).read_bytes()))
    with open(features, newline="") as file:
        rows = list(csv.reader(file))[1:]
    write(predictions, "".join(f"{chance:.4f}\n" for chance in booster.predict(matrix(rows))))


def evaluate(predictions, truth, accuracy):
    pairs = list(zip(numbers(predictions), numbers(truth), strict=True))
    share = sum((chance >= 0.5) == (tipped == 1) for chance, tipped in pairs) / len(pairs)
    print(f"right for {share:.1%} of {len(pairs)} trips")
    write(accuracy, f"{share}\n")


def split(trips):
    """The features of each trip as text, and 1 for each trip with a tip of a fifth of the fare, else 0."""
    with open(trips, newline="") as file:
        rows = list(csv.DictReader(file))
    tipped = [int(float(row[TIP] or 0) >= 0.2 * float(row["fare"])) for row in rows]
    return [[row[feature] for feature in FEATURES] for row in rows], tipped


def matrix(rows, tipped=None):
    import numpy
    import xgboost

    values = numpy.array([[float(cell) if cell else numpy.nan for cell in row] for row in rows])
    return xgboost.DMatrix(values, label=tipped)


def numbers(file):
    return [float(line) for line in pathlib.Path(file).read_text().split()]


def path(file):
    """The file, in a folder that is there: pipelines name their outputs in folders that nobody has made yet."""
    file = pathlib.Path(file)
    file.parent.mkdir(parents=True, exist_ok=True)
    return file


def write(file, text):
    path(file).write_text(text)


VERBS = {
    fetch: {"--year": int, "--rows": int, "--trips": str},
    train: {"--trips": str, "--model": str},
    prepare: {"--trips": str, "--features": str, "--truth": str},
    predict: {"--features": str, "--model": str, "--predictions": str},
    evaluate: {"--predictions": str, "--truth": str, "--accuracy": str},
}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    for verb, options in VERBS.items():
        for option, kind in options.items():
            (verbs.choices.get(verb.__name__) or verbs.add_parser(verb.__name__)).add_argument(option, type=kind, required=True)
    arguments = vars(parser.parse_args())
    globals()[arguments.pop("verb")](**arguments)

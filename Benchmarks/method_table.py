#!/usr/bin/env python3
"""Every method's small recipe on the same images: kNN and linear accuracy with 95 % intervals, the paired difference to random
encoders, RankMe, minutes and peak memory.

    python3 Benchmarks/method_table.py --data DIR [--csv method-table.csv] [--runs FOLDER] [--only METHOD …] [--seeds 1]

DIR has train/ and test/ with a folder per class. Hours of CPU: rows that the CSV has are not made again, and a run that was
broken off is gone on with, so that the same command goes on where it was stopped. The methods with three seeds are those that
`--three` names.
"""
import argparse, csv, json, os, shutil, subprocess, sys

FIELDS = ["method", "recipe", "seed", "train_images", "test_images", "epochs",
          "knn", "knn_low", "knn_high", "knn_gain", "knn_gain_low", "knn_gain_high", "knn_random", "knn_pixels",
          "linear", "linear_low", "linear_high", "linear_gain", "linear_gain_low", "linear_gain_high", "linear_random", "linear_pixels",
          "rankme", "minutes", "peak_memory_mb"]

p = argparse.ArgumentParser()
p.add_argument("--data", required=True)
p.add_argument("--fovea", default=".build/release/fovea")
p.add_argument("--recipes", default="Recipes")
p.add_argument("--csv", default="Benchmarks/results/method-table.csv")
p.add_argument("--runs", default="runs/method-table")
p.add_argument("--only", nargs="*", help="methods")
p.add_argument("--seeds", type=int, default=1)
p.add_argument("--three", nargs="*", default=["simclr", "moco", "byol", "simsiam", "swav", "dino", "barlow_twins", "vicreg", "supcon"],
               help="methods with three seeds at least")
p.add_argument("--train", type=int, default=10000)
p.add_argument("--test", type=int, default=2000)
p.add_argument("--epochs", type=int, help="instead of the recipe's")
p.add_argument("--random-encoders", type=int, default=5)
a = p.parse_args()


def run(*arguments):
    if subprocess.run([a.fovea, *map(str, arguments), "--quiet"], stdout=subprocess.DEVNULL).returncode:
        sys.exit(f"fovea {' '.join(map(str, arguments))} failed: the same command goes on from here")


def row(method, seed):
    folder = f"{a.runs}/{method}-{seed}"
    if os.path.exists(f"{folder}/recipe.yaml"):
        run("pretrain", "--resume", folder)
    else:
        shutil.rmtree(folder, ignore_errors=True)
        change = ["--epochs", a.epochs] if a.epochs else []
        run("pretrain", a.data, "--recipe", f"{method}/small", "--seed", seed, "--set", f"data.limit={a.train}", *change, "--out", folder)
    run("evaluate", folder, "--data", a.data, "--protocol", "knn,linear", "--limit", a.train, "--test-limit", a.test,
        "--seed", seed, "--random-encoders", a.random_encoders)
    results = json.load(open(f"{folder}/evaluation/results.json"))
    differences = json.load(open(f"{folder}/evaluation/differences.json"))
    summary, timing = json.load(open(f"{folder}/summary.json")), json.load(open(f"{folder}/timing.json"))
    curves = list(csv.DictReader(open(f"{folder}/metrics.csv")))
    found = {"method": method, "recipe": f"{method}/small", "seed": seed, "train_images": a.train, "test_images": a.test,
             "epochs": summary["epochs"], "rankme": round(float(curves[-1]["h.rank"]), 2), "minutes": round(timing["seconds"] / 60, 2),
             "peak_memory_mb": timing["peakMemoryMB"]}
    own = [r["encoder"] for r in results if r["encoder"] not in ("random encoder", "raw pixels")][0]
    for protocol in ("knn", "linear"):
        scores = {r["encoder"]: r for r in results if r["protocol"] == protocol and r["metric"] == "top-1"}
        gain = next(d for d in differences if (d["protocol"], d["metric"], d["baseline"]) == (protocol, "top-1", "random encoder"))
        values = {"": scores[own]["value"], "_low": scores[own]["lower"], "_high": scores[own]["upper"], "_gain": gain["value"],
                  "_gain_low": gain["lower"], "_gain_high": gain["upper"], "_random": scores["random encoder"]["value"],
                  "_pixels": scores["raw pixels"]["value"]}
        found |= {protocol + key: round(value, 4) for key, value in values.items()}
    return found


rows = list(csv.DictReader(open(a.csv))) if os.path.exists(a.csv) else []
done = {(r["method"], int(r["seed"])) for r in rows}
methods = sorted(d for d in os.listdir(a.recipes) if os.path.exists(f"{a.recipes}/{d}/small.yaml"))
unknown = set(a.only or []) - set(methods)
if unknown:
    sys.exit(f"no small recipe of {', '.join(sorted(unknown))}; there are {', '.join(methods)}")
for method in methods:
    if a.only and method not in a.only:
        continue
    for seed in range(max(a.seeds, 3 if method in a.three else 1)):
        if (method, seed) in done:
            continue
        rows.append(row(method, seed))
        r = rows[-1]
        print(f"{method} seed {seed}: kNN {100 * r['knn']:.1f} %, {100 * r['knn_gain']:+.1f} points ({100 * r['knn_gain_low']:+.1f} to "
              f"{100 * r['knn_gain_high']:+.1f}) to random encoders, linear {100 * r['linear']:.1f} %, {r['minutes']} min", flush=True)
        os.makedirs(os.path.dirname(a.csv) or ".", exist_ok=True)
        with open(a.csv + ".partial", "w", newline="") as f:
            writer = csv.DictWriter(f, FIELDS)
            writer.writeheader()
            writer.writerows(rows)
        os.replace(a.csv + ".partial", a.csv)

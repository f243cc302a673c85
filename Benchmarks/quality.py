#!/usr/bin/env python3
"""SimCLR, BYOL and Barlow Twins against their Python peers on the same images: kNN accuracy and minutes over seeds, with Student's
95 % interval of the difference.

    python3 Benchmarks/quality.py --data DIR --peer 'PYTHON train_knn.py' [--methods simclr byol barlow_twins] [--seeds 3]

DIR has train/ and test/ with a folder per class. Both train ResNet-18 of first-stage width 16 on 10,000 images for 8 epochs in
batches of 128, one after the other, and classify 2,000 test images by their 200 nearest neighbours (temperature 0.1). Rows that the
CSV has are not made again: the same command goes on where it was stopped.
"""
import argparse, csv, json, math, os, statistics, subprocess, sys, tempfile, time

STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}  # 97.5 % by degrees of freedom
FIELDS = ["method", "seed", "fovea_knn", "fovea_random_encoder", "fovea_minutes", "peer_knn", "peer_random_encoder", "peer_minutes"]
PEERS = {"simclr": "simclr", "byol": "byol", "barlow_twins": "barlow"}

p = argparse.ArgumentParser()
p.add_argument("--data", required=True)
p.add_argument("--fovea", default=".build/release/fovea")
p.add_argument("--peer", help="the command of the peer's script")
p.add_argument("--methods", nargs="*", default=list(PEERS), choices=list(PEERS))
p.add_argument("--seeds", type=int, default=3)
p.add_argument("--csv", default="Benchmarks/results/quality.csv")
a = p.parse_args()


def fovea(method, seed):
    with tempfile.TemporaryDirectory() as folder:
        started = time.time()
        subprocess.run([a.fovea, "pretrain", a.data, "--recipe", f"{method}/small", "--seed", str(seed), "--out", folder + "/run", "--quiet",
                        "--set", "data.limit=10000", "--set", f"data.limitSeed={seed}", "--set", "monitoring.knnEveryEpochs=0",
                        "--set", "training.batchSize=128"], check=True)
        minutes = (time.time() - started) / 60
        subprocess.run([a.fovea, "evaluate", folder + "/run", "--data", a.data, "--protocol", "knn", "--limit", "10000", "--test-limit",
                        "2000", "--seed", str(seed), "--random-encoders", "1", "--no-cache", "--quiet"], check=True,
                       stdout=subprocess.DEVNULL)
        rows = json.load(open(folder + "/run/evaluation/results.json"))
    value = lambda name: next(r["value"] for r in rows if r["encoder"] == name and r["metric"] == "top-1")
    return {"fovea_knn": value(method), "fovea_random_encoder": value("random encoder"), "fovea_minutes": round(minutes, 2)}


def peer(method, seed):
    line = subprocess.run([*a.peer.split(), "--method", PEERS[method], "--data", a.data, "--train", "10000", "--test", "2000", "--epochs",
                           "8", "--batch", "128", "--width", "16", "--seed", str(seed)], check=True, capture_output=True, text=True).stdout
    found = json.loads(line)
    return {"peer_knn": found["knn"], "peer_random_encoder": found["knn_random_encoder"], "peer_minutes": found["train_minutes"]}


def write(rows):
    with open(a.csv + ".partial", "w", newline="") as f:
        w = csv.DictWriter(f, FIELDS, lineterminator="\n")
        w.writeheader()
        w.writerows(sorted(rows, key=lambda r: (list(PEERS).index(r["method"]), int(r["seed"]))))
    os.replace(a.csv + ".partial", a.csv)


def mean_and_interval(values):
    mean = statistics.mean(values)
    spread = STUDENT[len(values) - 1] * statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else float("nan")
    return f"{mean:+.2f} (95 % interval {mean - spread:+.2f} to {mean + spread:+.2f})"


rows = list(csv.DictReader(open(a.csv))) if os.path.exists(a.csv) else []
for method in a.methods:
    for seed in range(a.seeds):
        if any((r["method"], int(r["seed"])) == (method, seed) for r in rows):
            continue
        if not a.peer:
            sys.exit(f"no result of {method}'s peer for seed {seed}: give --peer")
        rows.append({"method": method, "seed": seed, **fovea(method, seed), **peer(method, seed)})
        print(rows[-1], flush=True)
        write(rows)
    own = [r for r in rows if r["method"] == method and int(r["seed"]) < a.seeds]
    points = lambda x, y: [100 * (float(r[x]) - float(r[y])) for r in own]
    faster = statistics.median(float(r["peer_minutes"]) / float(r["fovea_minutes"]) for r in own)
    print(f"{method}: kNN difference to the peer {mean_and_interval(points('fovea_knn', 'peer_knn'))} points, "
          f"to the random encoder {mean_and_interval(points('fovea_knn', 'fovea_random_encoder'))}; time {faster:.2f} times less")

#!/usr/bin/env python3
"""SimCLR against its Python peer on the same images: kNN accuracy over seeds, with Student's 95 % interval of the difference.

    python3 Benchmarks/quality.py --data DIR --peer 'PYTHON train_knn.py' [--seeds 3] [--csv quality.csv]
    python3 Benchmarks/quality.py --data DIR --peer-results peer.jsonl     # the peer's lines from an earlier run

DIR has train/ and test/ with a folder per class. Both train ResNet-18 of first-stage width 16 on 10,000 images for 8 epochs in
batches of 128, and classify 2,000 test images by their 200 nearest neighbours (temperature 0.1).
"""
import argparse, csv, json, math, os, statistics, subprocess, sys, tempfile, time

STUDENT = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306, 9: 2.262}  # 97.5 % by degrees of freedom

p = argparse.ArgumentParser()
p.add_argument("--data", required=True)
p.add_argument("--fovea", default=".build/release/fovea")
p.add_argument("--peer", help="the command of the peer's script")
p.add_argument("--peer-results", help="JSON lines that the peer's script printed")
p.add_argument("--seeds", type=int, default=3)
p.add_argument("--csv")
a = p.parse_args()


def fovea(seed):
    folder = tempfile.mkdtemp()
    started = time.time()
    subprocess.run([a.fovea, "pretrain", a.data, "--recipe", "simclr/small", "--seed", str(seed), "--out", folder + "/run", "--quiet",
                    "--set", "data.limit=10000", "--set", f"data.limitSeed={seed}", "--set", "monitoring.knnEveryEpochs=0"], check=True)
    minutes = (time.time() - started) / 60
    subprocess.run([a.fovea, "evaluate", folder + "/run", "--data", a.data, "--protocol", "knn", "--limit", "10000", "--test-limit", "2000",
                    "--seed", str(seed), "--random-encoders", "1", "--quiet"], check=True, stdout=subprocess.DEVNULL)
    rows = json.load(open(folder + "/run/evaluation/results.json"))
    value = lambda name: next(r["value"] for r in rows if r["encoder"] == name and r["metric"] == "top-1")
    return {"seed": seed, "knn": value("simclr"), "knn_random_encoder": value("random encoder"), "minutes": round(minutes, 2)}


def peer(seed):
    line = subprocess.run([*a.peer.split(), "--data", a.data, "--train", "10000", "--test", "2000", "--epochs", "8", "--batch", "128",
                           "--width", "16", "--seed", str(seed)], check=True, capture_output=True, text=True).stdout
    return json.loads(line)


earlier = {r["seed"]: r for r in map(json.loads, open(a.peer_results))} if a.peer_results else {}
rows = []
for seed in range(a.seeds):
    ours = fovea(seed)
    theirs = earlier.get(seed) or (peer(seed) if a.peer else None)
    if theirs is None:
        sys.exit(f"no result of the peer for seed {seed}: give --peer or --peer-results")
    rows.append({"seed": seed, "fovea_knn": ours["knn"], "fovea_random_encoder": ours["knn_random_encoder"], "fovea_minutes": ours["minutes"],
                 "peer_knn": theirs["knn"], "peer_random_encoder": theirs["knn_random_encoder"], "peer_minutes": theirs["train_minutes"]})
    print(rows[-1], flush=True)
d = [r["fovea_knn"] - r["peer_knn"] for r in rows]
spread = STUDENT[len(d) - 1] * statistics.stdev(d) / math.sqrt(len(d)) if len(d) > 1 else float("nan")
gain = statistics.mean(r["fovea_knn"] - r["fovea_random_encoder"] for r in rows)
print(f"kNN difference to the peer: {100 * statistics.mean(d):+.2f} points (95 % interval {100 * (statistics.mean(d) - spread):+.2f} "
      f"to {100 * (statistics.mean(d) + spread):+.2f}); above the random encoder: {100 * gain:+.2f} points")
if a.csv:
    with open(a.csv, "w", newline="") as f:
        w = csv.DictWriter(f, rows[0].keys())
        w.writeheader()
        w.writerows(rows)

#!/usr/bin/env python3
"""Fovea against its Python peers, in turn (A B A B …) on the same machine: medians, spreads and ratios.

    python3 Benchmarks/compare.py --peers DIR --python PYTHON [--pairs 5] [--only NAME …] [--photos DIR] [--csv performance.csv]

DIR holds the peers' scripts (simclr_throughput.py, embed_throughput.py); faiss' is beside this file. PYTHON has torch, lightly,
onnxruntime and faiss. Build first: swift build --package-path Benchmarks -c release. Each program prints one JSON line.
Nothing else should be running.
"""
import argparse, csv, json, os, platform, statistics, subprocess, sys, threading, time

here = os.path.dirname(os.path.abspath(__file__))
p = argparse.ArgumentParser()
p.add_argument("--peers", required=True)
p.add_argument("--python", default=sys.executable)
p.add_argument("--pairs", type=int, default=5)
p.add_argument("--only", nargs="*")
p.add_argument("--photos", help="a folder of photographs, for embedding and training at 224 pixels")
p.add_argument("--csv")
a = p.parse_args()


def bench(name, *arguments):
    return [f"{here}/.build/release/{name}", *map(str, arguments)]


def peer(name, *arguments):
    return [a.python, name if os.path.isabs(name) else f"{a.peers}/{name}", *map(str, arguments)]


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as f:
            mine = f.read().split()
    except OSError:
        return []
    return [pid] + [c for child in mine for c in children(int(child))]


def pss(pid):
    total = 0
    for child in children(pid):
        try:
            with open(f"/proc/{child}/smaps_rollup") as f:
                total += next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
        except (OSError, StopIteration):
            pass
    return total / 1024


def run(command, threads):
    """The program's JSON line, with the peak of the summed PSS over its process tree."""
    environment = dict(os.environ, OMP_WAIT_POLICY="passive", OMP_NUM_THREADS=str(threads))
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment)
    peak, done = [0.0], threading.Event()

    def watch():
        while not done.wait(0.2):
            peak[0] = max(peak[0], pss(process.pid))

    watcher = threading.Thread(target=watch)
    watcher.start()
    out, errors = process.communicate()
    done.set()
    watcher.join()
    if process.returncode != 0 or not out.strip():
        sys.exit(f"{' '.join(command)} failed:\n{errors[-2000:]}")
    return {**json.loads(out.strip().splitlines()[-1]), "peak_pss_mb": round(peak[0])}


def rate(line):
    """Images per second, or 1 / seconds; of several engines the best."""
    value = line.get("images_per_second", line.get("end_to_end"))
    if isinstance(value, dict):
        return max(value.values())
    return value if value is not None else 1 / line["seconds"]


small = ["--batch", 128, "--size", 32]
cases = {
    "simclr-resnet18-32": (bench("simclr-throughput", *small), peer("simclr_throughput.py", *small, "--workers", 1), 2),
    "simclr-resnet18-32-compiled": (
        bench("simclr-throughput", *small, "--steps", 12),
        peer("simclr_throughput.py", *small, "--steps", 12, "--workers", 1, "--compile", "--channels-last"), 2),
    "neighbours-k20": (bench("neighbour-throughput", 20), peer(f"{here}/peers/faiss_neighbours.py", 20), 2),
    "neighbours-k200": (bench("neighbour-throughput", 200), peer(f"{here}/peers/faiss_neighbours.py", 200), 2),
}
if a.photos:
    large = ["--data", a.photos, "--backbone", "resnet50", "--size", 224, "--batch", 32]
    cases["simclr-resnet50-224"] = (
        bench("simclr-throughput", *large, "--steps", 3), peer("simclr_throughput.py", *large, "--steps", 3, "--workers", 1), 2)
    embed = ["--data", a.photos, "--images", 512]
    cases["embed-resnet50-224"] = (bench("embed-throughput", *embed), peer("embed_throughput.py", *embed), 2)
    tiny = [*embed, "--backbone", "resnet18", "--size", 32, "--batch", 128]
    cases["embed-resnet18-32"] = (bench("embed-throughput", *tiny), peer("embed_throughput.py", *tiny), 2)

rows = []
for name, (ours, theirs, threads) in cases.items():
    if a.only and name not in a.only:
        continue
    pairs = [(run(ours, threads), run(theirs, threads)) for _ in range(a.pairs)]
    f, q = ([rate(pair[i]) for pair in pairs] for i in (0, 1))
    memory = [statistics.median(pair[i]["peak_pss_mb"] for pair in pairs) for i in (0, 1)]
    rows.append({
        "case": name, "pairs": a.pairs, "threads": threads, "fovea": round(statistics.median(f), 3), "fovea_low": round(min(f), 3),
        "fovea_high": round(max(f), 3), "peer": round(statistics.median(q), 3), "peer_low": round(min(q), 3), "peer_high": round(max(q), 3),
        "ratio": round(statistics.median(f) / statistics.median(q), 3), "fovea_pss_mb": memory[0], "peer_pss_mb": memory[1],
        "memory_ratio": round(memory[0] / memory[1], 3), "machine": platform.processor() or platform.machine(), "cores": os.cpu_count(),
    })
    print(json.dumps(rows[-1]), flush=True)
    print(json.dumps(pairs[-1]), flush=True)
if a.csv and rows:
    with open(a.csv, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)

#!/usr/bin/env python3
"""Fovea against its Python peers, in turn (A B A B …) on the same machine: medians, spreads and ratios.

    python3 Benchmarks/compare.py --python PYTHON [--pairs 5] [--only NAME …] [--photos DIR] [--files DIR] [--csv performance.csv]

PYTHON has torch, lightly, albumentations, onnxruntime, openvino and faiss; --peers is a folder with embed_throughput.py (torch eager
and compiled, ONNX Runtime). --photos: photographs, for the cases at 224 pixels; --files: 25,000 small images, for the start.
Build first: swift build --package-path Benchmarks -c release. Each program prints one JSON line. Nothing else should be running.
Rows of an earlier --csv whose cases are not measured again stay in it.
"""
import argparse, csv, json, os, platform, statistics, subprocess, sys, threading, time

here = os.path.dirname(os.path.abspath(__file__))
p = argparse.ArgumentParser()
p.add_argument("--peers", help="the folder of embed_throughput.py")
p.add_argument("--python", default=sys.executable)
p.add_argument("--pairs", type=int, default=5)
p.add_argument("--only", nargs="+")
p.add_argument("--photos", help="a folder of photographs, for embedding and training at 224 pixels")
p.add_argument("--files", help="a folder of 25,000 small images, for the time to the first batch")
p.add_argument("--csv")
a = p.parse_args()
if a.pairs < 1:
    p.error(f"--pairs must be at least 1, not {a.pairs}")
for option in ("photos", "files", "peers"):
    folder = getattr(a, option)
    if folder and not os.path.isdir(folder):
        p.error(f"--{option} {folder} is not a folder")


def bench(name, *arguments):
    return [f"{here}/.build/release/{name}", *map(str, arguments)]


def peer(name, *arguments):
    return [a.python, name if os.path.isabs(name) else f"{here}/peers/{name}", *map(str, arguments)]


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
    command = [str(time.time()) if part == "NOW" else part for part in command]
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
        sys.exit(f"{' '.join(command)} failed: {(errors.strip().splitlines() or ['no output'])[-1]}")
    try:
        return {**json.loads(out.strip().splitlines()[-1]), "peak_pss_mb": round(peak[0])}
    except (json.JSONDecodeError, TypeError):
        sys.exit(f"{' '.join(command)} printed no line of JSON at its end: {out.strip().splitlines()[-1][:200]}")


def rate(line, key):
    """The figure in question, as something of which more is better; of several engines the best."""
    value = line.get(key, line.get("images_per_second", line.get("end_to_end")))
    if isinstance(value, dict):
        return max(value.values())
    if key.startswith("seconds"):
        value = 1 / line[key] if line.get(key) else None
    if value is None:
        sys.exit(f"a program's line says nothing of {key}: {json.dumps(line)}")
    return value


def training(*arguments, workers=1, peer_only=()):
    return (bench("training-throughput", *arguments), peer("lightly_training.py", *arguments, "--workers", workers, *peer_only), 2,
            "images_per_second")


small = ["--batch", 128, "--size", 32]
views = "views_per_processor_second"
cases = {
    "simclr-resnet18-32": training(*small, "--steps", 8),
    "simclr-resnet18-32-no-worker": training(*small, "--steps", 8, workers=0),
    "simclr-resnet18-32-two-workers": training(*small, "--steps", 8, workers=2),
    "simclr-resnet18-32-compiled": training(*small, "--steps", 8, peer_only=["--compile", "--channels-last"]),
    "simclr-resnet18-32-width16": training(*small, "--width", 16, "--steps", 60),
    "byol-resnet18-32": training(*small, "--method", "byol", "--steps", 6),
    "neighbours-k20": (bench("neighbour-throughput", 20), peer("faiss_neighbours.py", 20), 2, "seconds"),
    "neighbours-k200": (bench("neighbour-throughput", 200), peer("faiss_neighbours.py", 200), 2, "seconds"),
    "views-224": (bench("augment-throughput", 224, 64, 9), peer("albumentations_views.py", 224, 64, 9), 1, views),
    "views-32": (bench("augment-throughput", 32, 64, 40), peer("albumentations_views.py", 32, 64, 40), 1, views),
}
if a.files:
    start = ["--data", a.files, *small, "--steps", 1, "--launched", "NOW"]
    cases["start-resnet18-32"] = (
        bench("training-throughput", *start), peer("lightly_training.py", *start, "--workers", 1), 2, "seconds_to_first_step")
if a.photos:
    large = ["--data", a.photos, "--backbone", "resnet50", "--size", 224, "--batch", 32]
    cases["files-to-views-224"] = (
        bench("augment-throughput", 224, 256, 5, a.photos), peer("albumentations_views.py", 224, 256, 5, a.photos), 1, views)
    cases["simclr-resnet50-224"] = training(*large, "--steps", 3)
    cases["simclr-resnet50-224-compiled"] = training(*large, "--steps", 3, peer_only=["--compile", "--channels-last"])
    cases["byol-resnet50-224"] = training(*large, "--method", "byol", "--steps", 2)
    cases["swav-resnet50-224"] = training(*large, "--method", "swav", "--steps", 2)
    embed = ["--data", a.photos, "--images", 512]
    tiny = [*embed, "--backbone", "resnet18", "--size", 32, "--batch", 128]
    small_stem = [*tiny, "--stem", "small"]  # the network that is pretrained at this size
    for name, arguments in (("embed-resnet50-224", embed), ("embed-resnet18-32", tiny), ("embed-resnet18-32-small-stem", small_stem)):
        ours = bench("embed-throughput", *arguments)
        cases[f"{name}-openvino"] = (ours, peer("openvino_embedding.py", *arguments), 2, "end_to_end", "engine")
        if a.peers and arguments is not small_stem:
            script = os.path.abspath(f"{a.peers}/embed_throughput.py")
            cases[name] = (ours, peer(script, *arguments), 2, "end_to_end")



def processor():
    try:
        with open("/proc/cpuinfo") as f:
            return next(line.split(":")[1].strip() for line in f if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


for case in a.only or []:
    if case not in cases:
        lacking = [option for option, value in (("--files", a.files), ("--photos", a.photos), ("--peers", a.peers)) if not value]
        sys.exit(f"no case {case}; there are {', '.join(cases)}" + (f", and more with {' and '.join(lacking)}" if lacking else ""))
if a.csv and os.path.dirname(a.csv) and not os.path.isdir(os.path.dirname(a.csv)):
    sys.exit(f"--csv {a.csv}: the folder is missing")
if a.csv and os.path.exists(a.csv):
    with open(a.csv) as file:
        if "case" not in (csv.DictReader(file).fieldnames or ["case"]):
            sys.exit(f"--csv {a.csv} is not a table of this script: it has no column case")
for ours, *_ in cases.values():
    if not os.path.exists(ours[0]):
        sys.exit(f"{ours[0]} is missing: swift build --package-path Benchmarks -c release")
try:
    versions = subprocess.run(
        [a.python, "-c", "import torch, lightly, faiss, albumentations as A; print(torch.__version__, lightly.__version__, faiss.__version__, A.__version__)"],
        capture_output=True, text=True, env=dict(os.environ, NO_ALBUMENTATIONS_UPDATE="1"))
except OSError as error:
    sys.exit(f"--python {a.python}: {error.strerror}")
if versions.returncode:
    sys.exit(f"--python {a.python} lacks a peer: {(versions.stderr.strip().splitlines() or ['no message'])[-1]}")
versions = versions.stdout.split()
machine = {
    "date": time.strftime("%Y-%m-%d"), "processor": processor().replace(",", " "), "cores": os.cpu_count(),
    **dict(zip(("torch", "lightly", "faiss", "albumentations"), versions[-4:])),
}


def write(rows):
    """Rows of cases that are not measured now stay."""
    if not a.csv:
        return
    kept = []
    if os.path.exists(a.csv):
        with open(a.csv) as file:
            kept = [row for row in csv.DictReader(file) if row["case"] not in {row["case"] for row in rows}]
    with open(a.csv, "w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), extrasaction="ignore", restval="")
        writer.writeheader()
        writer.writerows(kept + rows)


rows = []
for case, (ours, theirs, threads, *keys) in cases.items():
    if a.only and case not in a.only:
        continue
    pairs = [(run(ours, threads), run(theirs, threads)) for _ in range(a.pairs)]
    memory = [statistics.median(pair[i]["peak_pss_mb"] for pair in pairs) for i in (0, 1)]
    for key in keys:
        f, q = ([rate(pair[i], key) for pair in pairs] for i in (0, 1))
        ratios = [x / y for x, y in zip(f, q)]
        rows.append({
            "case": case if key == keys[0] else f"{case}-{key}", "pairs": a.pairs, "threads": threads,
            "fovea": round(statistics.median(f), 3), "fovea_low": round(min(f), 3), "fovea_high": round(max(f), 3),
            "peer": round(statistics.median(q), 3), "peer_low": round(min(q), 3), "peer_high": round(max(q), 3),
            "ratio": round(statistics.median(f) / statistics.median(q), 3), "ratio_low": round(min(ratios), 3),
            "ratio_high": round(max(ratios), 3), "fovea_pss_mb": memory[0], "peer_pss_mb": memory[1],
            "memory_ratio": round(memory[0] / memory[1], 3), **machine,
        })
        print(json.dumps(rows[-1]), flush=True)
    print(json.dumps(pairs[-1]), flush=True)
    write(rows)

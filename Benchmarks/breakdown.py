#!/usr/bin/env python3
"""Where a training step's processor time goes, by `perf record` of training-throughput: adds a version's rows to a table.

    python3 Benchmarks/breakdown.py VERSION [--program Benchmarks/.build/release/training-throughput] [--csv Benchmarks/results/breakdown.csv]
                                    [-- arguments of training-throughput]

VERSION names what is measured ("before", "after"). Needs Linux and perf. oneDNN's convolutions are code made at run time.
"""
import argparse, csv, json, os, re, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
p = argparse.ArgumentParser()
p.add_argument("version")
p.add_argument("--program", default=f"{here}/.build/release/training-throughput")
p.add_argument("--csv", default=f"{here}/results/breakdown.csv")
p.add_argument("arguments", nargs="*")
a = p.parse_args()
arguments = a.arguments or ["--batch", "128", "--size", "32", "--steps", "12"]

# The first that matches "library symbol" counts.
parts = [
    ("convolutions: products", r"multiply_(wide|narrow)"),
    ("convolutions: Winograd's transforms", r"winograd"),
    ("convolutions: oneDNN", r"JIT|dnnl|mkldnn"),
    ("normalisation, ReLU, residual", r"shim::(normalize|add_moments|add_gradient_moments|input_gradient)|batch_norm|threshold|clamp_min|max_pool"),
    ("memory from the system", r"kernel"),
    ("matrix products of head and loss", r"mkl|gemm"),
    ("views", r"pixels_|jpeg|Views|zlib|png"),
    ("rest", r""),
]
with tempfile.TemporaryDirectory() as folder:
    data = f"{folder}/perf.data"
    environment = dict(os.environ, OMP_WAIT_POLICY="passive", OMP_NUM_THREADS=str(os.cpu_count()))
    run = subprocess.run(["perf", "record", "-F", "499", "-o", data, a.program, *arguments], capture_output=True, text=True, env=environment)
    if run.returncode:
        sys.exit(run.stderr[-2000:])
    line = json.loads(run.stdout.strip().splitlines()[-1])
    report = subprocess.run(
        ["perf", "report", "-i", data, "--no-children", "--sort", "dso,symbol", "--stdio", "-w", "60,200"], capture_output=True, text=True).stdout
shares = dict.fromkeys((name for name, _ in parts), 0.0)
for row in report.splitlines():
    found = re.match(r"\s*([\d.]+)%\s+(.*)", row)
    if found:
        name = next(name for name, pattern in parts if re.search(pattern, found[2]))
        shares[name] += float(found[1])
total = sum(shares.values())
seconds = os.cpu_count() * line["batch"] / line["images_per_second"]
rows = []
if os.path.exists(a.csv):
    with open(a.csv) as file:
        rows = [row for row in csv.DictReader(file) if row["version"] != a.version]
rows += [{"version": a.version, "part": name, "seconds_per_step": round(seconds * share / total, 3)} for name, share in shares.items()]
with open(a.csv, "w", newline="") as file:
    writer = csv.DictWriter(file, ["version", "part", "seconds_per_step"])
    writer.writeheader()
    writer.writerows(rows)
print(json.dumps({"version": a.version, "images_per_second": line["images_per_second"], **{k: round(v / total, 3) for k, v in shares.items()}}))

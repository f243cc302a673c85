#!/usr/bin/env python3
"""Every method's small recipe on the same images: kNN and linear accuracy with 95 % intervals, the paired difference to random
encoders, RankMe, minutes and peak memory; of pretext and generative tasks also the layer that is chosen on held-out training images,
and how well the task itself is solved.

    python3 Benchmarks/method_table.py --data DIR [--csv Recipes/measured.csv] [--runs FOLDER] [--only METHOD …] [--seeds 1]

DIR has train/ and test/ with a folder per class. Hours of CPU: rows that the CSV has are not made again, and a run that was
broken off is gone on with, so that the same command goes on where it was stopped. The methods with three seeds are those that
`--three` names. Minutes are of the clock; those of the processors hardly depend on what else the machine does. Rows are made side by
side, one per --jobs with its share of the cores: small networks use two cores better as two runs. Writes the table into --document
between its two marks.
"""
import argparse, csv, io, json, os, re, shutil, subprocess, sys
from concurrent.futures import ThreadPoolExecutor, as_completed

SCORES = ["", "_low", "_high", "_gain", "_gain_low", "_gain_high", "_random", "_pixels"]
FIELDS = ["method", "family", "recipe", "seed", "train_images", "test_images", "epochs",
          *("knn" + s for s in SCORES), *("linear" + s for s in SCORES), "layer", *("layer" + s for s in SCORES[1:-1] + ["_value"]),
          "task", "task_accuracy", "task_chance", "rankme", "threads", "minutes", "processor_minutes", "peak_memory_mb"]
LAYERED = ("pretext", "generative", "masked modelling")
BEGIN, END = "<!-- method table -->", "<!-- end of method table -->"

p = argparse.ArgumentParser()
p.add_argument("--data", required=True)
p.add_argument("--fovea", default=".build/release/fovea")
p.add_argument("--recipes", default="Recipes")
p.add_argument("--csv", default="Recipes/measured.csv")
p.add_argument("--document", default="docs/methods.md")
p.add_argument("--runs", default="runs/method-table")
p.add_argument("--only", nargs="*", help="methods")
p.add_argument("--seeds", type=int, default=1)
p.add_argument("--three", nargs="*", default=["simclr", "moco", "byol", "simsiam", "swav", "dino", "barlow_twins", "vicreg", "supcon"],
               help="methods with three seeds at least")
p.add_argument("--clips", help="clips with train/ and test/, such as `fovea clips --test-count 1000` makes (frames of one clip are alike: "
               "intervals want many), for the methods that learn from these; without it they are left out")
p.add_argument("--train", type=int, default=10000)
p.add_argument("--test", type=int, default=2000)
p.add_argument("--epochs", type=int, help="instead of the recipe's")
p.add_argument("--random-encoders", type=int, default=5)
p.add_argument("--jobs", type=int, default=1, help="rows made at the same time")
p.add_argument("--threads", type=int, help="of each row; without it the cores are shared out")
a = p.parse_args()
threads = a.threads or max(1, (os.cpu_count() or 1) // a.jobs)

OF_CLIPS = {"frame_order", "playback_rate", "temporal_transformation", "motion_estimation", "temporal_contrast",
            "dense_predictive_coding", "object_consistency", "maskfeat_video"}


def run(*arguments):
    """Processor seconds that it took."""
    child = subprocess.Popen([a.fovea, *map(str, arguments), "--threads", str(threads), "--quiet"], stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise RuntimeError(f"fovea {' '.join(map(str, arguments))} failed: the same command goes on from here")
    return used.ru_utime + used.ru_stime


def families():
    """Of every method, as `fovea methods` prints them."""
    lines = subprocess.run([a.fovea, "methods"], capture_output=True, text=True).stdout.splitlines()
    return {part[0]: part[1] for part in (re.split(r"\s{2,}", line) for line in lines[2:]) if len(part) > 1}


def task(folder, last):
    """What the task's network is asked, how often it is right in the last epoch, and how often chance is."""
    names = [c.removesuffix("_accuracy") for c in last if c.endswith("_accuracy") and last[c]]
    # Most blocks stand still, which is no art to tell.
    name = "moving" if "moving" in names else names[0] if names else ""
    if not name:
        return {"task": "", "task_accuracy": "", "task_chance": ""}
    recipe = open(f"{folder}/recipe.yaml").read()
    orders = re.search(r"permutations:\n\s+count: (\d+)", recipe)
    speeds = re.search(r"rates: \[(.*)\]", recipe)
    distortions = 3 if "name: temporal_transformation" in recipe else 0
    grid = re.search(r"grid: (\d+)", recipe)
    # Four frames have twelve orders, an order and its reverse being one; what moves goes one of eight ways.
    chance = {"rotation": 1 / 4, "position": 1 / 8, "permutation": 1 / int(orders[1]) if orders else "", "order": 1 / 12, "moving": 1 / 8,
              "playback": 1 / (speeds[1].count(",") + 1 + distortions) if speeds else "",
              "cycle": 1 / int(grid[1]) ** 2 if grid else ""}.get(name, "")
    return {"task": name, "task_accuracy": round(float(last[name + "_accuracy"]), 4), "task_chance": chance}


def images(method):
    return a.clips if method in OF_CLIPS else a.data


def pretrain(method, seed, *more):
    """A run from its beginning."""
    folder = f"{a.runs}/{method}-{seed}"
    shutil.rmtree(folder, ignore_errors=True)
    change = ["--epochs", a.epochs] if a.epochs else []
    return run("pretrain", images(method), "--recipe", f"{method}/small", "--seed", seed, "--set", f"data.limit={a.train}", *change, *more,
               "--loader-threads", threads, "--out", folder)


def needs_teacher(method):
    return "teacher: ''" in open(f"{a.recipes}/{method}/small.yaml").read()


def teacher(method, seed):
    """BoWNet learns from RotNet's network."""
    if not needs_teacher(method):
        return []
    folder = f"{a.runs}/rotnet-{seed}"
    if not os.path.exists(f"{folder}/encoder.safetensors"):
        pretrain("rotnet", seed)
    return ["--teacher", folder]


def row(method, seed, family):
    folder = f"{a.runs}/{method}-{seed}"
    # Of a run that goes on, what was spent before it was broken off is not known.
    goes_on = os.path.exists(f"{folder}/recipe.yaml")
    if goes_on:
        spent = run("pretrain", "--resume", folder)
    else:
        more = teacher(method, seed)
        spent = pretrain(method, seed, *more)
    layers = ["--layers", "all", "--set", "linear.pooledWidth=1024"] if family in LAYERED else []
    run("evaluate", folder, "--data", images(method), "--protocol", "knn,linear", "--limit", a.train, "--test-limit", a.test,
        "--seed", seed, "--random-encoders", a.random_encoders, *layers)
    results = json.load(open(f"{folder}/evaluation/results.json"))
    differences = json.load(open(f"{folder}/evaluation/differences.json"))
    summary, timing = json.load(open(f"{folder}/summary.json")), json.load(open(f"{folder}/timing.json"))
    last = list(csv.DictReader(open(f"{folder}/metrics.csv")))[-1]
    found = {"method": method, "family": family, "recipe": f"{method}/small", "seed": seed, "train_images": min(a.train, summary["dataset"]["images"]),
             "test_images": a.test, "epochs": summary["epochs"], "rankme": round(float(last["h.rank"]), 2),
             "threads": threads, "minutes": round(timing["seconds"] / 60, 2), "processor_minutes": "" if goes_on else round(spent / 60, 2),
             "peak_memory_mb": timing["peakMemoryMB"], **task(folder, last)}
    own = [r["encoder"] for r in results if r["encoder"] not in ("random encoder", "raw pixels")][0]

    def scores(protocol, metric):
        of = {r["encoder"]: r for r in results if r["protocol"] == protocol and r["metric"] == metric}
        gain = next(d for d in differences if (d["protocol"], d["metric"], d["baseline"]) == (protocol, metric, "random encoder"))
        pixels = of.get("raw pixels")
        values = [of[own]["value"], of[own]["lower"], of[own]["upper"], gain["value"], gain["lower"], gain["upper"],
                  of["random encoder"]["value"], pixels["value"] if pixels else None]
        return of[own].get("setting", ""), {s: round(v, 4) for s, v in zip(SCORES, values) if v is not None}

    for protocol in ("knn", "linear"):
        found |= {protocol + key: value for key, value in scores(protocol, "top-1")[1].items()}
    if layers:
        found["layer"], values = scores("linear", "top-1 chosen layer")
        found |= {"layer" + (key or "_value"): value for key, value in values.items() if key != "_pixels"}
    return found


def percent(r, key):
    return f"{100 * float(r[key]):.1f}"


def interval(r, key):
    return f"{100 * float(r[key]):+.1f} ({100 * float(r[key + '_low']):+.1f} to {100 * float(r[key + '_high']):+.1f})"


def document(rows):
    """The table, for people: the best seed is not chosen, every seed has its row."""
    if not (rows and os.path.exists(a.document)):
        return
    text = open(a.document, encoding="utf-8").read()
    if BEGIN not in text:
        return
    images, clips = [r for r in rows if r["method"] not in OF_CLIPS], [r for r in rows if r["method"] in OF_CLIPS]
    lines = lines_of(images, f"{a.train:,} training and {a.test:,} test images")
    if clips:
        lines += ["", *lines_of(clips, f"{clips[0]['train_images']} clips of moving shapes to pretrain on; {a.train:,} of their frames, and "
                                       f"{a.test:,} frames of other clips, to measure with")]
    head, rest = text.split(BEGIN, 1)
    text = head + BEGIN + "\n\n" + "\n".join(lines) + "\n\n" + END + rest.split(END, 1)[1]
    replace(a.document, text)


def lines_of(rows, what):
    """A table and what it was measured on."""
    if not rows:
        return []
    lines = ["| method | seed | kNN | over random encoders | linear | over random encoders | at the chosen layer | the task itself | "
             "RankMe | processor minutes | memory, MB |", "|-|-|-|-|-|-|-|-|-|-|-|"]
    for r in rows:
        layer = f"{r['layer']} {percent(r, 'layer_value')}, {interval(r, 'layer_gain')}" if r.get("layer") else ""
        solved = f"{r['task']} {percent(r, 'task_accuracy')}" if r.get("task") else ""
        if solved and r["task_chance"] != "":
            solved += f" (chance {percent(r, 'task_chance')})"
        lines.append("| " + " | ".join(str(x) for x in [
            r["method"], r["seed"], percent(r, "knn"), interval(r, "knn_gain"), percent(r, "linear"), interval(r, "linear_gain"),
            layer, solved, r["rankme"], r["processor_minutes"] or "–", r["peak_memory_mb"]]) + " |")
    pixels = next((r for r in rows if r["knn_pixels"] != ""), None)
    beside = f"; raw pixels: kNN {percent(pixels, 'knn_pixels')}, linear {percent(pixels, 'linear_pixels')}" if pixels else ""
    return lines + ["", f"{what}{beside}."]


def replace(file, text):
    os.makedirs(os.path.dirname(file) or ".", exist_ok=True)
    with open(file + ".partial", "w", newline="", encoding="utf-8") as f:
        f.write(text)
    os.replace(file + ".partial", file)


def table(rows):
    out = io.StringIO()
    writer = csv.DictWriter(out, FIELDS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


rows = list(csv.DictReader(open(a.csv))) if os.path.exists(a.csv) else []
done = {(r["method"], int(r["seed"])) for r in rows}
kinds = families()
order = list(dict.fromkeys(kinds.values()))
methods = sorted(d for d in os.listdir(a.recipes) if os.path.exists(f"{a.recipes}/{d}/small.yaml"))
unknown = set(a.only or []) - set(methods)
if unknown:
    sys.exit(f"no small recipe of {', '.join(sorted(unknown))}; there are {', '.join(methods)}")
# Those that learn from another's run come after it.
wanted = sorted(a.only or methods, key=needs_teacher)
wanted = [(m, seed) for m in wanted if m not in OF_CLIPS or a.clips for seed in range(max(a.seeds, 3 if m in a.three else 1))]
with ThreadPoolExecutor(a.jobs) as pool:
    made = [pool.submit(row, m, seed, kinds[m]) for m, seed in wanted if (m, seed) not in done]
    failures = 0
    for future in as_completed(made):
        try:
            r = future.result()
        except RuntimeError as error:
            print(error, file=sys.stderr, flush=True)
            failures += 1
            continue
        rows = sorted([*rows, r], key=lambda r: (order.index(r["family"]), r["method"], int(r["seed"])))
        print(f"{r['method']} seed {r['seed']}: kNN {percent(r, 'knn')} %, {interval(r, 'knn_gain')} points to random encoders, linear "
              f"{percent(r, 'linear')} %, {interval(r, 'linear_gain')}, {r['minutes']} min", flush=True)
        replace(a.csv, table(rows))
        document(rows)
document(rows)
sys.exit(1 if failures else 0)

"""Exact nearest neighbours of 10,000 queries in a bank of 50,000 rows of 512 values with faiss' IndexFlatIP: seconds, as JSON."""
import json, os, sys, time
import faiss, numpy as np

k = int(sys.argv[1]) if len(sys.argv) > 1 else 20
threads = int(os.environ.get("OMP_NUM_THREADS", os.cpu_count()))
faiss.omp_set_num_threads(threads)
rng = np.random.default_rng(1)
queries, bank = (rng.standard_normal((n, 512)).astype(np.float32) for n in (10_000, 50_000))
index = faiss.IndexFlatIP(512)
index.add(bank)
index.search(queries[:256], k)
started = time.time()
index.search(queries, k)
print(json.dumps({"peer": "faiss IndexFlatIP", "k": k, "seconds": round(time.time() - started, 3), "threads": threads}))

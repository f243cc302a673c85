#include "parallel.h"
#include <ATen/Parallel.h>
#include <dlfcn.h>
#include <exception>

namespace {

/// The entry of GNU's OpenMP runtime (LLVM's has it too): the threads that libtorch computes on, so that no two pools compete
/// for the processor.
using Team = void (*)(void (*body)(void *), void *data, unsigned threads, unsigned flags);
using ThreadNumber = int (*)();

struct Runtime {
    Team team = reinterpret_cast<Team>(dlsym(RTLD_DEFAULT, "GOMP_parallel"));
    ThreadNumber number = reinterpret_cast<ThreadNumber>(dlsym(RTLD_DEFAULT, "omp_get_thread_num"));
    ThreadNumber count = reinterpret_cast<ThreadNumber>(dlsym(RTLD_DEFAULT, "omp_get_num_threads"));
    bool is_there() const { return team && number && count; }
};

const Runtime &runtime() {
    static const Runtime found;
    return found;
}

struct Job {
    void (*body)(int64_t, void *);
    void *data;
    int64_t parts;
    std::exception_ptr *failures;  // of each part
};

void run(void *given) {
    const Job &job = *static_cast<Job *>(given);
    for (int64_t part = runtime().number(); part < job.parts; part += runtime().count()) try {
            job.body(part, job.data);
        } catch (...) {
            job.failures[part] = std::current_exception();
        }
}

}  // namespace

int64_t shim::part_limit() { return at::in_parallel_region() ? 1 : at::get_num_threads(); }

void shim::run_parts(int64_t parts, void (*body)(int64_t, void *), void *data) {
    if (parts <= 1 || !runtime().is_there() || at::in_parallel_region()) {
        for (int64_t part = 0; part < parts; part++) body(part, data);
        return;
    }
    std::vector<std::exception_ptr> failures(parts);
    Job job{body, data, parts, failures.data()};
    runtime().team(run, &job, static_cast<unsigned>(parts), 0);
    for (const auto &failure : failures)
        if (failure) std::rethrow_exception(failure);
}

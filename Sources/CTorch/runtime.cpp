#include "shim.h"
#include <ATen/Context.h>
#include <ATen/DeviceGuard.h>
#include <ATen/Parallel.h>
#include <ATen/autocast_mode.h>
#include <c10/core/impl/DeviceGuardImplInterface.h>
#include <torch/headeronly/version.h>

namespace {

c10::Device device(int type, int index) {
    auto kind = static_cast<c10::DeviceType>(type);
    return kind == c10::kCPU ? c10::Device(kind) : c10::Device(kind, static_cast<c10::DeviceIndex>(index));
}

at::Generator generator(int type, int index) { return at::globalContext().defaultGenerator(device(type, index)); }

}  // namespace

const char *ct_version(void) { return TORCH_VERSION; }

int ct_device_count(int type) {
    int count = 0;
    (void)shim::guarded([&] {
        auto kind = static_cast<c10::DeviceType>(type);
        if (kind == c10::kCPU) count = 1;
        else if (c10::impl::hasDeviceGuardImpl(kind)) count = c10::impl::getDeviceGuardImpl(kind)->deviceCount();
    });
    return count;
}

void ct_set_threads(int threads) { at::set_num_threads(threads); }
int ct_threads(void) { return at::get_num_threads(); }

void ct_set_deterministic(bool deterministic) {
    at::globalContext().setDeterministicAlgorithms(deterministic, /*warn_only=*/true);
    at::globalContext().setDeterministicFillUninitializedMemory(false);
}

void ct_set_flush_denormal(bool flush) { at::globalContext().setFlushDenormal(flush); }

ct_status ct_seed(uint64_t seed) {
    return shim::guarded([&] { at::manual_seed(seed); });
}

ct_status ct_generator_state(int type, int index, ct_tensor *out) {
    return shim::guarded([&] {
        auto source = generator(type, index);
        std::lock_guard<std::mutex> lock(source.mutex());
        *out = shim::handle(source.get_state());
    });
}

ct_status ct_set_generator_state(int type, int index, ct_tensor state) {
    return shim::guarded([&] {
        auto source = generator(type, index);
        std::lock_guard<std::mutex> lock(source.mutex());
        source.set_state(shim::tensor(state));
    });
}

int ct_autocast_begin(int type, int scalar) {
    auto kind = static_cast<c10::DeviceType>(type);
    int before = at::autocast::is_autocast_enabled(kind) ? static_cast<int>(at::autocast::get_autocast_dtype(kind)) : -1;
    // The cache of cast weights does not know their type.
    if (before >= 0 && before != scalar) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(kind, true);
    at::autocast::set_autocast_dtype(kind, static_cast<c10::ScalarType>(scalar));
    at::autocast::increment_nesting();
    return before;
}

void ct_autocast_end(int type, int before) {
    auto kind = static_cast<c10::DeviceType>(type);
    bool changes = before != static_cast<int>(at::autocast::get_autocast_dtype(kind));
    if (at::autocast::decrement_nesting() == 0 || changes) at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(kind, before >= 0);
    if (before >= 0) at::autocast::set_autocast_dtype(kind, static_cast<c10::ScalarType>(before));
}

ct_status ct_synchronize(int type, int index) {
    return shim::guarded([&] {
        auto where = device(type, index);
        if (!where.is_cpu()) c10::impl::getDeviceGuardImpl(where.type())->synchronizeDevice(where.index());
    });
}

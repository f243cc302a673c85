#include "shim.h"
#include <ATen/ops/empty.h>
#include <cstring>

void ct_tensor_release(ct_tensor tensor) { delete &shim::tensor(tensor); }

ct_status ct_tensor_from_bytes(const void *bytes, const int64_t *sizes, size_t dimensions, int type, ct_tensor *out) {
    return shim::guarded([&] {
        auto tensor = at::empty(at::IntArrayRef(sizes, dimensions), static_cast<c10::ScalarType>(type));
        if (tensor.nbytes()) std::memcpy(tensor.mutable_data_ptr(), bytes, tensor.nbytes());
        *out = shim::handle(std::move(tensor));
    });
}

ct_status ct_tensor_copy_bytes(ct_tensor tensor, void *into, size_t byte_count) {
    return shim::guarded([&] {
        auto flat = shim::tensor(tensor).detach().cpu().contiguous();
        TORCH_CHECK(flat.nbytes() == byte_count, "a tensor of ", flat.nbytes(), " bytes does not fill ", byte_count);
        if (byte_count) std::memcpy(into, flat.const_data_ptr(), byte_count);
    });
}

size_t ct_tensor_dimensions(ct_tensor tensor) { return shim::tensor(tensor).dim(); }
int64_t ct_tensor_size(ct_tensor tensor, size_t dimension) { return shim::tensor(tensor).sizes()[dimension]; }
int64_t ct_tensor_element_count(ct_tensor tensor) { return shim::tensor(tensor).numel(); }
int ct_tensor_type(ct_tensor tensor) { return static_cast<int>(shim::tensor(tensor).scalar_type()); }

void ct_tensor_device(ct_tensor tensor, int *type, int *index) {
    auto device = shim::tensor(tensor).device();
    *type = static_cast<int>(device.type());
    *index = device.has_index() ? device.index() : 0;
}

bool ct_tensor_is_contiguous(ct_tensor tensor) { return shim::tensor(tensor).is_contiguous(); }
bool ct_tensor_is_channels_last(ct_tensor tensor) { return shim::tensor(tensor).is_contiguous(at::MemoryFormat::ChannelsLast); }
const void *ct_tensor_address(ct_tensor tensor) { return shim::tensor(tensor).const_data_ptr(); }

ct_status ct_tensor_item(ct_tensor tensor, double *out) {
    return shim::guarded([&] { *out = shim::tensor(tensor).item().toDouble(); });
}

#include "shim.h"
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>
#include <algorithm>

using c10::IValue;

namespace {

thread_local std::vector<IValue> arguments;
thread_local std::vector<IValue> results;

/// Whether the schema says so of the argument, or of the elements of a list.
bool is_written(const c10::Argument &argument) {
    const c10::AliasInfo *info = argument.alias_info();
    if (!info) return false;
    const auto &elements = info->containedTypes();
    return info->isWrite() || std::any_of(elements.begin(), elements.end(), [](const c10::AliasInfo &one) { return one.isWrite(); });
}

const c10::OperatorHandle &handle(ct_operation operation) { return *reinterpret_cast<const c10::OperatorHandle *>(operation); }

}  // namespace

ct_status ct_operation_find(const char *name, const char *overload, ct_operation *out) {
    return shim::guarded([&] {
        auto found = c10::Dispatcher::singleton().findSchemaOrThrow(name, overload);
        *out = reinterpret_cast<ct_operation>(new c10::OperatorHandle(found));  // lives as long as the process
    });
}

void ct_push_none(void) { arguments.emplace_back(); }
void ct_push_tensor(ct_tensor tensor) { arguments.emplace_back(shim::tensor(tensor)); }
void ct_push_bool(bool value) { arguments.emplace_back(value); }
void ct_push_int(int64_t value) { arguments.emplace_back(value); }
void ct_push_double(double value) { arguments.emplace_back(value); }
void ct_push_string(const char *value) { arguments.emplace_back(std::string(value)); }

void ct_push_tensors(const ct_tensor *tensors, size_t count) {
    c10::List<at::Tensor> list;
    list.reserve(count);
    for (size_t i = 0; i < count; i++) list.push_back(shim::tensor(tensors[i]));
    arguments.emplace_back(std::move(list));
}

void ct_push_optional_tensors(const ct_tensor *tensors, size_t count) {
    c10::List<std::optional<at::Tensor>> list;
    list.reserve(count);
    for (size_t i = 0; i < count; i++)
        list.push_back(tensors[i] ? std::optional<at::Tensor>(shim::tensor(tensors[i])) : std::nullopt);
    arguments.emplace_back(std::move(list));
}

void ct_push_ints(const int64_t *values, size_t count) {
    c10::List<int64_t> list;
    list.reserve(count);
    for (size_t i = 0; i < count; i++) list.push_back(values[i]);
    arguments.emplace_back(std::move(list));
}

void ct_push_doubles(const double *values, size_t count) {
    c10::List<double> list;
    list.reserve(count);
    for (size_t i = 0; i < count; i++) list.push_back(values[i]);
    arguments.emplace_back(std::move(list));
}

void ct_push_device(int type, int index) {
    arguments.emplace_back(c10::Device(static_cast<c10::DeviceType>(type), static_cast<c10::DeviceIndex>(index)));
}

ct_status ct_call(ct_operation operation) {
    std::vector<IValue> stack;
    stack.swap(arguments);
    results.clear();
    auto status = shim::guarded([&] {
        const auto &schema = handle(operation).schema();
        const auto &declared = schema.arguments();
        TORCH_CHECK(stack.size() <= declared.size(), schema.name(), " takes ", declared.size(), " arguments, not ", stack.size());
        for (size_t i = stack.size(); i < declared.size(); i++) {
            const auto &value = declared[i].default_value();
            TORCH_CHECK(value.has_value(), schema.name(), ": no value for the argument '", declared[i].name(), "'");
            stack.push_back(*value);
        }
        // The fused optimisers write without counting it, on which the gradient's check of saved weights and kept kernels rely.
        std::vector<std::pair<at::Tensor, uint32_t>> written;
        if (schema.returns().empty())
            for (size_t i = 0; i < stack.size(); i++)
                if (is_written(declared[i]) && stack[i].isTensorList())
                    for (const at::Tensor &tensor : stack[i].toTensorVector())
                        if (!tensor.is_inference()) written.emplace_back(tensor, tensor._version());
        handle(operation).callBoxed(stack);
        for (const auto &[tensor, version] : written)
            if (uint32_t(tensor._version()) == version) tensor.unsafeGetTensorImpl()->bump_version();
    });
    if (status == CT_OK) results.swap(stack);
    // Keeps the allocation for the next call's arguments.
    stack.clear();
    arguments.swap(stack);
    return status;
}

size_t ct_result_count(void) { return results.size(); }
ct_tensor ct_result_tensor(size_t index) {
    return index < results.size() && results[index].isTensor() ? shim::handle(results[index].toTensor()) : nullptr;
}
bool ct_result_is_list(size_t index) { return index < results.size() && results[index].isTensorList(); }
size_t ct_result_list_count(size_t index) { return results[index].toTensorList().size(); }
ct_tensor ct_result_list_tensor(size_t index, size_t element) {
    return shim::handle(results[index].toTensorList().get(element));
}
void ct_result_clear(void) { results.clear(); }

#include "shim.h"
#include <ATen/ops/empty_strided.h>
#include <c10/core/GradMode.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/autograd.h>

bool ct_tensor_requires_grad(ct_tensor tensor) { return shim::tensor(tensor).requires_grad(); }

ct_status ct_tensor_set_requires_grad(ct_tensor tensor, bool requires_grad) {
    return shim::guarded([&] { shim::tensor(tensor).set_requires_grad(requires_grad); });
}

ct_tensor ct_tensor_grad(ct_tensor tensor) {
    const auto &gradient = shim::tensor(tensor).grad();
    return gradient.defined() ? shim::handle(gradient) : nullptr;
}

ct_status ct_tensor_set_grad(ct_tensor tensor, ct_tensor gradient) {
    return shim::guarded([&] {
        auto &leaf = shim::tensor(tensor);
        at::Tensor value = gradient ? shim::tensor(gradient) : at::Tensor();
        if (value.defined()) {
            TORCH_CHECK(value.sizes() == leaf.sizes(), "a gradient of shape ", value.sizes(), " for a tensor of shape ", leaf.sizes());
            if (value.strides() != leaf.strides() && leaf.is_non_overlapping_and_dense()) {
                c10::NoGradGuard off;
                value = at::empty_strided(leaf.sizes(), leaf.strides(), value.options()).copy_(value);
            }
        }
        leaf.mutable_grad() = value;
    });
}

ct_status ct_backward(ct_tensor loss, ct_tensor gradient, bool retain_graph) {
    return shim::guarded([&] {
        torch::autograd::variable_list seeds;
        if (gradient) seeds.push_back(shim::tensor(gradient));
        torch::autograd::backward({shim::tensor(loss)}, seeds, retain_graph);
    });
}

ct_status ct_gradients(const ct_tensor *outputs, const ct_tensor *output_gradients, size_t output_count,
                       const ct_tensor *inputs, size_t input_count, bool create_graph, ct_tensor *out) {
    return shim::guarded([&] {
        torch::autograd::variable_list ys, seeds, xs;
        for (size_t i = 0; i < output_count; i++) ys.push_back(shim::tensor(outputs[i]));
        if (output_gradients)
            for (size_t i = 0; i < output_count; i++) seeds.push_back(shim::tensor(output_gradients[i]));
        for (size_t i = 0; i < input_count; i++) xs.push_back(shim::tensor(inputs[i]));
        auto gradients = torch::autograd::grad(ys, xs, seeds, create_graph, create_graph, /*allow_unused=*/true);
        for (size_t i = 0; i < input_count; i++) out[i] = gradients[i].defined() ? shim::handle(gradients[i]) : nullptr;
    });
}

bool ct_set_gradients_enabled(bool enabled) {
    bool before = c10::GradMode::is_enabled();
    c10::GradMode::set_enabled(enabled);
    return before;
}

void *ct_inference_begin(void) { return new c10::InferenceMode(true); }
void ct_inference_end(void *guard) { delete static_cast<c10::InferenceMode *>(guard); }

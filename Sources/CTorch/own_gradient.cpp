// Functions whose gradient the caller computes.
#include "shim.h"
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

/// The caller's function, released with the graph.
struct Callback : torch::CustomClassHolder {
    ct_gradient_function function;
    void *context;
    ct_release_function release;
    Callback(ct_gradient_function function, void *context, ct_release_function release)
        : function(function), context(context), release(release) {}
    ~Callback() override { release(context); }
};

struct OwnGradient : torch::autograd::Function<OwnGradient> {
    /// `outputs` are no inputs of the graph: they come as a plain pointer.
    static variable_list forward(AutogradContext *ctx, const c10::intrusive_ptr<Callback> &callback, variable_list *outputs,
                                 at::TensorList inputs) {
        ctx->saved_data["callback"] = at::IValue::make_capsule(callback);
        ctx->set_materialize_grads(false);
        ctx->saved_data["inputs"] = int64_t(inputs.size());
        ctx->save_for_backward(*outputs);
        return *outputs;
    }

    static variable_list backward(AutogradContext *ctx, const variable_list &gradients) {
        const auto callback = c10::static_intrusive_pointer_cast<Callback>(ctx->saved_data["callback"].toCapsule());
        const size_t count = ctx->saved_data["inputs"].toInt();
        std::vector<ct_tensor> outputs, seeds;
        for (const auto &saved : ctx->get_saved_variables()) outputs.push_back(shim::handle(saved));
        for (const auto &gradient : gradients) seeds.push_back(gradient.defined() ? shim::handle(gradient) : nullptr);
        // None for the callback and the outputs.
        variable_list found(2);
        callback->function(callback->context, outputs.data(), seeds.data(), outputs.size(), &found);
        TORCH_CHECK(found.size() == count + 2, found.size() - 2, " gradients for ", count, " inputs");
        return found;
    }
};

}  // namespace

void ct_add_gradient(void *results, ct_tensor gradient) {
    static_cast<variable_list *>(results)->push_back(gradient ? shim::tensor(gradient) : at::Tensor());
}

ct_status ct_own_gradient(const ct_tensor *inputs, size_t input_count, ct_tensor *outputs, size_t output_count,
                          ct_gradient_function function, void *context, ct_release_function release) {
    const auto callback = c10::make_intrusive<Callback>(function, context, release);
    return shim::guarded([&] {
        variable_list xs, ys;
        for (size_t i = 0; i < input_count; i++) xs.push_back(shim::tensor(inputs[i]));
        for (size_t i = 0; i < output_count; i++) ys.push_back(shim::tensor(outputs[i]).detach());
        const auto found = OwnGradient::apply(callback, &ys, at::TensorList(xs));
        for (size_t i = 0; i < output_count; i++) outputs[i] = shim::handle(found[i]);
    });
}

// A residual branch as one operation: convolutions in a row, each followed by its batch normalisation and, but for the last, by a ReLU;
// after the last a residual may be added before its ReLU.
//
//     z_i = w_i ∗ a_{i−1},   a_i = max(0, N_i(z_i)),   y = max(0, N_last(z_last) + residual)
//
// On the CPU, in float32. Moments of z_i and the sums that its normalisation's gradient needs are taken while the convolution that
// makes the values has them in the cache. Of what lies between, the z_i are kept for the gradient, but for large ones, which are
// computed again; the a_i are made from them where they are read, by Winograd's algorithm and in products of one pixel's channels, or
// made again. Of y, a bit for each value is kept. An identity shortcut's gradient is added where the first convolution's is made.
#include "shim.h"
#include "batch_norm.h"
#include "convolution.h"
#include <ATen/autocast_mode.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty_like.h>
#include <c10/core/impl/LocalDispatchKeySet.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

using at::Tensor;
using namespace shim;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

namespace {

struct Layer {
    Tensor kernel;
    int64_t stride, padding;
    Normalization norm;
    bool is_recomputed;  // its result

    Tensor convolved(const Tensor &x, const Statistics *norm, const RowsMade &made = nullptr) const {
        return arranged(convolution(x, kernel, {}, stride, padding, made, norm), x);
    }
};

/// What does not change from forward to backward; `layers` lose their tensors of the graph.
struct Chain : torch::CustomClassHolder {
    std::vector<Layer> layers;
    bool relu, adds, adds_input, keeps;
};

/// Parameters of a layer among an operation's tensors.
enum { kernel_place, weight_place, bias_place, parameter_count };

struct NormalizedConvolutions : torch::autograd::Function<NormalizedConvolutions> {
    static Tensor forward(AutogradContext *context, const c10::intrusive_ptr<Chain> &chain, const Tensor &x, const std::optional<Tensor> &residual,
                          at::TensorList parameters) {
        const size_t count = chain->layers.size();
        // x, the last gate's bits, then of each layer: parameters, mean, inverse deviation, z.
        variable_list saved{x, Tensor()};
        Tensor a = x;
        std::optional<Statistics> norm;  // of a, where the convolution that reads it normalises
        for (size_t i = 0; i < count; i++) {
            const Layer &layer = chain->layers[i];
            const bool is_last = i + 1 == count;
            Moments moments(layer.norm.running_mean.const_data_ptr<float>(), layer.norm.running_mean.numel());
            RowsMade made;
            if (layer.norm.training)
                made = [&](const float *rows, int64_t, int64_t pixels, int64_t part) { moments.add(rows, pixels, part); };
            const Tensor z = layer.convolved(a, norm ? &*norm : nullptr, made);
            a.reset();
            if (is_last && residual)
                TORCH_CHECK(residual->sizes() == z.sizes(), "a residual of shape ", residual->sizes(), " for ", z.sizes());
            norm.emplace(layer.norm, &moments, row_count(z));
            const bool keeps = chain->keeps && !layer.is_recomputed;
            for (int64_t p = 0; p < parameter_count; p++) saved.push_back(parameters[parameter_count * i + p]);
            saved.insert(saved.end(), {norm->mean, norm->inverse, keeps ? z : Tensor()});
            if (!is_last && normalizes(z, parameters[parameter_count * (i + 1) + kernel_place], chain->layers[i + 1])) {
                a = z;
                continue;
            }
            a = norm->normalized(z, is_last ? residual : std::nullopt, !is_last || chain->relu, /*in_place=*/!keeps,
                                 is_last && residual && chain->relu && chain->keeps ? &saved[1] : nullptr);
            norm.reset();
        }
        context->save_for_backward(saved);
        context->saved_data["chain"] = at::IValue::make_capsule(chain);
        for (Layer &layer : chain->layers) {
            layer.kernel.reset();
            layer.norm = {{}, {}, {}, {}, layer.norm.training, layer.norm.momentum, layer.norm.epsilon};
        }
        return a;
    }

    /// Whether a convolution makes a_i of z_i while it reads.
    static bool normalizes(const Tensor &z, const Tensor &kernel, const Layer &layer) {
        return reads_normalized(z, kernel, layer.stride, layer.padding);
    }

    /// What the forward pass kept, and what is made again from it.
    struct Past {
        const Chain &chain;
        const variable_list &saved;
        std::vector<Tensor> results, activations;
        std::vector<std::optional<Statistics>> norms;

        Past(const Chain &chain, const variable_list &saved)
            : chain(chain), saved(saved), results(chain.layers.size()), activations(chain.layers.size()), norms(chain.layers.size()) {}

        const Tensor &of(size_t i, int64_t place) const { return saved[2 + (parameter_count + 3) * i + place]; }
        const Tensor &kernel(size_t i) const { return of(i, kernel_place); }
        const Tensor &weight(size_t i) const { return of(i, weight_place); }
        const Tensor &mean(size_t i) const { return of(i, parameter_count); }
        const Tensor &inverse(size_t i) const { return of(i, parameter_count + 1); }
        bool keeps(size_t i) const { return of(i, parameter_count + 2).defined(); }

        const Statistics &statistics(size_t i) {
            if (!norms[i]) norms[i].emplace(mean(i), inverse(i), weight(i), of(i, bias_place));
            return *norms[i];
        }

        /// z_i
        const Tensor &result(size_t i) {
            if (!results[i].defined()) {
                if (keeps(i)) return results[i] = of(i, parameter_count + 2);
                Layer layer = chain.layers[i];
                layer.kernel = kernel(i);
                const Input read = input(i);
                results[i] = layer.convolved(read.values, read.norm);
            }
            return results[i];
        }

        /// What the convolution i reads: a_{i−1}, or z_{i−1} with its normalisation.
        struct Input {
            const Tensor &values;
            const Statistics *norm;
        };
        Input input(size_t i) {
            if (i == 0) return {saved[0], nullptr};
            const Tensor &z = result(i - 1);
            if (normalizes(z, kernel(i), chain.layers[i])) return {z, &statistics(i - 1)};
            Tensor &a = activations[i - 1];
            if (!a.defined()) a = statistics(i - 1).normalized(z, std::nullopt, true);
            return {a, nullptr};
        }
    };

    /// Each large tensor goes as soon as it is used up, and gradients take the place of what was made for them alone.
    static variable_list backward(AutogradContext *context, variable_list &gradients) {
        refuse_second_derivatives();
        const auto chain = c10::static_intrusive_pointer_cast<Chain>(context->saved_data["chain"].toCapsule());
        const variable_list saved = context->get_saved_variables();
        const int64_t count = chain->layers.size();
        // What is computed again is as it was, also where gradients are taken under autocast.
        const c10::impl::ExcludeDispatchKeyGuard exact(c10::autocast_dispatch_keyset);
        Past past(*chain, saved);
        // Of the chain (none), x, the residual and the parameters; edges are those of tensors alone.
        variable_list found(3 + parameter_count * count);
        const auto needs = [&](int64_t layer, int64_t place) {
            return context->needs_input_grad(1 + (chain->adds ? 1 : 0) + parameter_count * layer + place);
        };

        Added shortcut;
        NormGradients norm;
        {
            const int64_t last = count - 1;
            const Tensor z = past.result(last);
            const ReluGate gate = !chain->relu ? ReluGate() : chain->adds ? ReluGate(saved[1], z.size(1)) : ReluGate(past.statistics(last));
            Tensor gradient = arranged(gradients[0], z);
            gradients[0].reset();
            // A shortcut's is let through where it is added.
            if (chain->adds_input) shortcut = {gradient, saved[1]};
            norm = norm_gradients(std::move(gradient), z, gate, past.weight(last), past.mean(last), past.inverse(last),
                                  chain->layers[last].norm.training, chain->adds && !chain->adds_input ? &found[2] : nullptr,
                                  past.keeps(last) ? Tensor() : z);
        }
        for (int64_t i = count - 1; i >= 0; i--) {
            past.results[i].reset();
            const Layer &layer = chain->layers[i];
            found[3 + parameter_count * i + weight_place] = norm.weight;
            found[3 + parameter_count * i + bias_place] = norm.bias;
            if (i == 0) {
                const bool needs_input = context->needs_input_grad(0);
                auto [input, kernel] = convolution_gradients(std::move(norm.input), saved[0], past.kernel(0), layer.stride, layer.padding, needs_input,
                                                             needs(0, kernel_place), shortcut);
                found[1] = input;
                found[3 + kernel_place] = kernel;
                break;
            }
            const Tensor z = past.result(i - 1);
            const ReluGate gate(past.statistics(i - 1));
            GradientMoments sums(z, gate, past.mean(i - 1), {});
            const Past::Input read = past.input(i);
            auto [input, kernel] = convolution_gradients(
                std::move(norm.input), read.values, past.kernel(i), layer.stride, layer.padding, true, needs(i, kernel_place), {},
                [&](const float *rows, int64_t first, int64_t pixels, int64_t part) { sums.add(rows, first, pixels, part); }, read.norm);
            found[3 + parameter_count * i + kernel_place] = kernel;
            past.activations[i - 1].reset();
            norm = norm_gradients(sums, input, z, gate, past.weight(i - 1), past.mean(i - 1), past.inverse(i - 1),
                                  chain->layers[i - 1].norm.training, input);
        }
        return found;
    }
};

/// A result of so many bytes is worth being computed twice: at few products for each of its values, or at any number. Of 1×1
/// convolutions, which read little, twice as many are few.
constexpr int64_t large_result = 16 << 20, largest_kept = 64 << 20, few_products = 128;

bool is_worth_recomputing(const Tensor &kernel, int64_t bytes) {
    const int64_t products = kernel.numel() / kernel.size(0), few = kernel.size(2) == 1 && kernel.size(3) == 1 ? 2 * few_products : few_products;
    return bytes >= largest_kept || (bytes >= large_result && products <= few);
}

}  // namespace

bool ct_joins_convolutions(ct_tensor x) {
    const Tensor &input = shim::tensor(x);
    return input.is_cpu() && input.dim() == 4 && input.scalar_type() == at::kFloat && input.numel() > 0 && has_channels_inside(input) &&
           !at::autocast::is_autocast_enabled(at::kCPU);
}

ct_status ct_normalized_convolutions(ct_tensor x, const ct_normalized_convolution *layers, size_t count, ct_tensor residual, bool training,
                                     double momentum, double epsilon, bool relu, ct_keeping keeping, ct_tensor *out) {
    return shim::guarded([&] {
        const Tensor &input = shim::tensor(x);
        auto chain = c10::make_intrusive<Chain>();
        chain->relu = relu;
        chain->adds = residual != nullptr;
        chain->adds_input = residual && shim::tensor(residual).is_same(input);
        chain->keeps = c10::GradMode::is_enabled();
        variable_list parameters;
        int64_t height = input.size(2), width = input.size(3), channels = input.size(1);
        for (size_t i = 0; i < count; i++) {
            const ct_normalized_convolution &given = layers[i];
            const Tensor &kernel = shim::tensor(given.kernel), &weight = shim::tensor(given.weight), &bias = shim::tensor(given.bias);
            for (const Tensor &tensor : {kernel, weight, bias})
                TORCH_CHECK(tensor.is_cpu() && tensor.scalar_type() == at::kFloat, "float32 parameters on the CPU, not ", tensor.toString());
            TORCH_CHECK(kernel.size(1) == channels, "a kernel of shape ", kernel.sizes(), " for ", channels, " channels");
            channels = kernel.size(0);
            for (const Tensor &tensor : {weight, bias, shim::tensor(given.running_mean), shim::tensor(given.running_variance)})
                TORCH_CHECK(tensor.numel() == channels, "batch_norm over ", tensor.numel(), " channels of a convolution with ", channels);
            TORCH_CHECK(given.stride > 0 && given.padding >= 0, "a convolution with stride ", given.stride, " and padding ", given.padding);
            height = (height + 2 * given.padding - kernel.size(2)) / given.stride + 1;
            width = (width + 2 * given.padding - kernel.size(3)) / given.stride + 1;
            const int64_t bytes = input.size(0) * channels * height * width * int64_t(sizeof(float));
            chain->layers.push_back({kernel, given.stride, given.padding,
                                     {weight, bias, shim::tensor(given.running_mean), shim::tensor(given.running_variance), training, momentum, epsilon},
                                     keeping == CT_KEEP_NONE || (keeping == CT_KEEP_SMALL && is_worth_recomputing(kernel, bytes))});
            parameters.insert(parameters.end(), {kernel, weight, bias});
        }
        std::optional<Tensor> added;
        if (residual) {
            const Tensor &tensor = shim::tensor(residual);
            const std::vector<int64_t> shape = {input.size(0), channels, height, width};
            TORCH_CHECK(tensor.sizes() == at::IntArrayRef(shape), "a residual of shape ", tensor.sizes(), " for ", at::IntArrayRef(shape));
            added = arranged(tensor.to(at::kFloat), input);
        }
        *out = shim::handle(NormalizedConvolutions::apply(chain, input, added, at::TensorList(parameters)));
    });
}

#include "impls/net/architectures.hpp"

#include <utility>

namespace bptt::net {
namespace {

HeadSpec head_of(const Architecture& a, const ArchitectureSettings& s) {
  HeadSpec head = a.head;
  head.O = s.outputs;
  Index width = s.hidden;
  for (DenseSpec& layer : head.hidden) layer.width = std::exchange(width, width + 2);
  return head;
}

StackSpec stack_of(const ArchitectureSettings& s) {
  return {s.cell, s.shape, 1, false, !s.lengths.empty()};
}

AnyNetworkSpec recurrent(const Architecture& a, const ArchitectureSettings& s) {
  return NetworkSpec{stack_of(s), head_of(a, s)};
}

AnyNetworkSpec one_step(const Architecture& a, const ArchitectureSettings& s) {
  NetworkSpec spec{stack_of(s), head_of(a, s)};
  spec.stack.shape.T = 1;
  return spec;
}

AnyNetworkSpec from_one_input(const Architecture& a, const ArchitectureSettings& s) {
  return NetworkSpec{stack_of(s), head_of(a, s), true};
}

template <bool bidirectional>
AnyNetworkSpec deep(const Architecture& a, const ArchitectureSettings& s) {
  NetworkSpec spec{stack_of(s), head_of(a, s)};
  spec.stack.layers = s.layers;
  spec.stack.bidirectional = bidirectional;
  return spec;
}

/// Without bias, and one f for states and outputs, as the overview of BPTT has them.
template <bool input_at_first_step_only>
AnyNetworkSpec textbook(const Architecture& a, const ArchitectureSettings& s) {
  NetworkSpec spec{stack_of(s), head_of(a, s), input_at_first_step_only};
  spec.stack.cell.bias = false;
  spec.head->bias = false;
  spec.head->output = layer_activation(s.cell.activation);
  return spec;
}

template <bool attention>
AnyNetworkSpec encoder_decoder(const Architecture& a, const ArchitectureSettings& s) {
  EncoderDecoderSpec spec{stack_of(s), stack_of(s), attention, head_of(a, s)};
  spec.decoder.shape.T = s.target_steps;
  spec.decoder.shape.I = s.target_inputs;
  spec.decoder.lengths = !s.target_lengths.empty();
  return spec;
}

AnyNetworkSpec feed_forward(const Architecture& a, const ArchitectureSettings& s) {
  return FeedForwardSpec{s.shape.B, s.shape.I, head_of(a, s)};
}

void add_recurrent(std::vector<Architecture>& all) {
  using enum Loss;
  using enum CellUse;
  const HeadSpec squared{1, half_squared_error};
  const HeadSpec last_squared{1, half_squared_error, Steps::last};
  const HeadSpec classes{1, softmax_cross_entropy};
  const HeadSpec mean_classes{1, softmax_cross_entropy, Steps::all, Reduction::mean_over_steps};
  all.push_back({"one-to-one", "one input, one output: T_x = T_y = 1; half squared error", any,
                 false, one_step, squared});
  all.push_back({"one-to-many",
                 "input at the first step only, an output at every step (music); softmax", any,
                 true, from_one_input, classes});
  all.push_back(
      {"many-to-one",
       "an output at each sequence's last step only (sentiment); sigmoid, mean over batch",
       any,
       true,
       recurrent,
       {1, sigmoid_cross_entropy, Steps::last, Reduction::mean_over_batch}});
  all.push_back({"many-to-many",
                 "an output at every step, T_x = T_y (named entities); softmax, mean over steps",
                 any, true, recurrent, mean_classes});
  all.push_back({"many-to-many-sigmoid",
                 "an output at every step, T_x = T_y; sigmoid, summed over steps",
                 any,
                 true,
                 recurrent,
                 {1, sigmoid_cross_entropy}});
  all.push_back({"deep", "L layers one upon the other, an output at every step; softmax", any, true,
                 deep<false>, classes});
  all.push_back({"deep-bidirectional",
                 "L layers of two directions, an output at every step; softmax", any, true,
                 deep<true>, classes});
  all.push_back({"deep-dense-head",
                 "L layers, two hidden dense layers on top, an output at every step; softmax",
                 any,
                 true,
                 deep<false>,
                 {1,
                  softmax_cross_entropy,
                  Steps::all,
                  Reduction::mean_over_batch,
                  {{1, LayerActivation::tanh}, {1, LayerActivation::sigmoid}}}});
  all.push_back({"encoder-decoder",
                 "T_x != T_y: the decoder starts from the encoder's final state (translation)", any,
                 true, encoder_decoder<false>, mean_classes});
  all.push_back({"encoder-decoder-attention",
                 "the same with dot-product attention over the encoder's live states", any, true,
                 encoder_decoder<true>, mean_classes});
  all.push_back({"siso", "input at the first step, output at the last; no bias; half squared error",
                 rnn, true, textbook<true>, last_squared});
  all.push_back({"simo",
                 "input at the first step, output at every step; no bias; half squared error", rnn,
                 true, textbook<true>, squared});
  all.push_back({"mimo", "input and output at every step; no bias; half squared error", rnn, true,
                 textbook<false>, squared});
}

void add_feed_forward(std::vector<Architecture>& all) {
  for (const LayerActivation f : all_layer_activations) {
    if (f == LayerActivation::identity) continue;
    for (const Loss loss :
         {Loss::half_squared_error, Loss::sigmoid_cross_entropy, Loss::softmax_cross_entropy}) {
      HeadSpec head{1, loss, Steps::all, Reduction::mean_over_batch, {{1, f}, {1, f}}};
      // The cross-entropies bring the output's own activation.
      if (loss == Loss::half_squared_error) head.output = f;
      const std::string cost(name_of(loss)), name(name_of(f));
      all.push_back({"mlp-" + name + "-" + cost,
                     "three dense layers, no recurrence; " + name + ", " + cost, CellUse::none,
                     false, feed_forward, head});
    }
  }
}

}  // namespace

bool Architecture::takes(const Cell& cell) const {
  return cells != CellUse::rnn || cell.kind == CellKind::rnn;
}

AnyNetworkSpec Architecture::spec(const ArchitectureSettings& settings) const {
  if (!takes(settings.cell)) {
    throw Error(ErrorKind::usage,
                name + ": expected a plain recurrent cell (rnn); got " + to_string(settings.cell));
  }
  if (!takes_lengths && !settings.lengths.empty()) {
    throw Error(ErrorKind::usage,
                name + ": expected no lengths; got " + std::to_string(settings.lengths.size()));
  }
  AnyNetworkSpec spec = describe(*this, settings);
  std::visit([](const auto& any) { any.validate(); }, spec);
  return spec;
}

template <Scalar T>
std::unique_ptr<Model<T>> Architecture::make(const ArchitectureSettings& settings,
                                             const PlanMaker<T>& make_plan) const {
  const AnyNetworkSpec any = spec(settings);
  if (const auto* network = std::get_if<NetworkSpec>(&any)) {
    return make_network<T>(*network, settings.lengths, make_plan);
  }
  if (const auto* both = std::get_if<EncoderDecoderSpec>(&any)) {
    return make_encoder_decoder<T>(*both, settings.lengths, settings.target_lengths, make_plan);
  }
  return make_feed_forward<T>(std::get<FeedForwardSpec>(any));
}

const std::vector<Architecture>& architectures() {
  static const std::vector<Architecture> all = [] {
    std::vector<Architecture> list;
    add_recurrent(list);
    add_feed_forward(list);
    return list;
  }();
  return all;
}

const Architecture& find_architecture(std::string_view name) {
  std::string known;
  for (const Architecture& architecture : architectures()) {
    if (architecture.name == name) return architecture;
    known += (known.empty() ? "" : ", ") + architecture.name;
  }
  throw Error(ErrorKind::usage,
              "architecture: expected one of " + known + "; got '" + std::string(name) + "'");
}

#define BPTT_INSTANTIATE(T)                                                             \
  template std::unique_ptr<Model<T>> Architecture::make<T>(const ArchitectureSettings&, \
                                                           const PlanMaker<T>&) const;
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net

#include "bench/char_lm/trainer.hpp"

#include <algorithm>
#include <cmath>

#include "bench/char_lm/language_model.hpp"
#include "bench/char_lm/sampling.hpp"
#include "impls/net/dense.hpp"
#include "impls/net/loss.hpp"
#include "impls/net/stack_problem.hpp"

namespace bptt::bench {
namespace {

/// Extents: O outputs are as many as inputs I, the alphabet.
template <Real T>
class TypedTrainer final : public Trainer {
 public:
  TypedTrainer(const Backend& backend, const Case& c, const Corpus& corpus,
               const TrainingOptions& options, std::uint64_t seed)
      : case_(c),
        corpus_(corpus),
        truncation_(truncation_of(c, options)),
        rate_(options.learning_rate.value_or(
            default_learning_rate(options.optimizer, c.spec.cell.kind))),
        clip_norm_(options.clip_norm),
        plans_(backend, c.exec),
        windows_(corpus, truncation_, c.spec.shape.B),
        characters_(static_cast<std::size_t>(truncation_.k2 * c.spec.shape.B)),
        targets_(static_cast<std::size_t>(truncation_.k1 * c.spec.shape.B)),
        model_(c.spec),
        stack_(c.spec, truncation_, plans_),
        logits_({truncation_.k1, c.spec.shape.B, c.spec.shape.I}),
        dlogits_(logits_.view().extents()),
        optimizer_(options.optimizer, model_.values()) {
    model_.initialise(seed, options);
  }

  void load() override {
    if (update_ == windows_.count()) {
      stack_.restart();
      update_ = 0;
    }
    read_window();
    ++update_;
  }

  double step() override {
    forward();
    const double scale = 1 / static_cast<double>(targets_.size());
    const double loss = scale * net::softmax_cross_entropy(std::as_const(logits_).view(), targets_,
                                                           {}, scale, dlogits_.view());
    net::dense_backward(stack_.y(), model_.weight(), std::as_const(dlogits_).view(), stack_.dy(),
                        model_.weight_gradient(), model_.bias_gradient());
    stack_.backward(model_.layers(), model_.layer_gradients());
    stack_.advance(model_.layers());
    net::clip_by_global_norm<T>(model_.gradients(), clip_norm_);
    optimizer_.step(model_.gradients(), rate_);
    return loss;
  }

  std::size_t workspace_bytes() const override { return stack_.workspace_bytes(); }
  std::string implementation() const override { return stack_.implementation(); }

  bool is_finite() const override {
    return std::all_of(model_.values().begin(), model_.values().end(), [](const View<T>& values) {
      return std::all_of(values.begin(), values.end(), [](T v) { return std::isfinite(v); });
    });
  }

  void load_weights(const io::Safetensors& file) override { model_.from_file(file, corpus_); }
  io::SafetensorsWriter weights() const override { return model_.to_file(corpus_); }

  io::SafetensorsWriter logits() override {
    stack_.restart();
    update_ = 0;
    read_window();
    forward();
    io::SafetensorsWriter writer;
    const std::vector<Index> steps = {truncation_.k1, case_.spec.shape.B};
    writer.add("characters", steps, std::span(characters_).first(targets_.size()));
    const std::vector<Index> extents = {truncation_.k1, case_.spec.shape.B, case_.spec.shape.I};
    const auto count = static_cast<std::size_t>(logits_.view().size());
    writer.add("logits", extents, std::span<const T>(logits_.view().data(), count));
    return writer;
  }

  std::vector<Index> sample(std::span<const Index> prime, Index count, double temperature,
                            std::uint64_t seed) override {
    return Speaker<T>(model_, case_.spec, plans_).speak(prime, count, temperature, seed);
  }

 private:
  /// Fills x with the window at hand, one-hot, and the targets of its losses.
  void read_window() {
    const net::Stretch& stretch = stack_.stretch();
    for (std::size_t row = 0; row < characters_.size(); ++row) one_hot(row) = 0;
    windows_.read(stretch.begin, characters_);
    windows_.read(stretch.begin + stretch.loss_begin + 1, targets_);
    for (std::size_t row = 0; row < characters_.size(); ++row) one_hot(row) = 1;
  }
  T& one_hot(std::size_t row) {
    return stack_.x()[static_cast<Index>(row) * case_.spec.shape.I + characters_[row]];
  }

  void forward() {
    stack_.forward(model_.layers());
    net::dense_forward(stack_.y(), model_.weight(), model_.bias(), logits_.view());
  }

  Case case_;
  const Corpus& corpus_;
  net::Truncation truncation_;
  double rate_, clip_norm_;
  net::PlanMaker<T> plans_;
  Windows windows_;
  Index update_ = 0;               ///< since the text began
  std::vector<Index> characters_;  ///< [k2*B]
  std::vector<Index> targets_;     ///< [k1*B]
  LanguageModel<T> model_;
  net::TruncatedStack<T> stack_;
  Tensor<T> logits_, dlogits_;  ///< [k1,B,O]
  net::Optimizer<T> optimizer_;
};

Case carrier_of(const Case& c, const StackSpec& spec) {
  Case carrier = c;
  carrier.spec = spec;
  return carrier;
}

}  // namespace

net::Truncation truncation_of(const Case& c, const TrainingOptions& options) {
  return options.truncation.value_or(net::Truncation{c.spec.shape.T, c.spec.shape.T});
}

std::unique_ptr<Trainer> Trainer::make(const Backend& backend, const Case& c, const Corpus& corpus,
                                       const TrainingOptions& options, std::uint64_t seed) {
  return dispatch(c.dtype, [&]<class T>(std::type_identity<T>) -> std::unique_ptr<Trainer> {
    return std::make_unique<TypedTrainer<T>>(backend, c, corpus, options, seed);
  });
}

double trainer_flops(const Case& c, const TrainingOptions& options) {
  const Shape& s = c.spec.shape;
  const net::Truncation truncation = truncation_of(c, options);
  const auto rows = static_cast<double>(truncation.k1 * s.B);
  const double head = 3 * 2 * rows * static_cast<double>(s.I * c.spec.output_width());
  const auto carrier = net::TruncatedStack<float>::carrier_spec(c.spec, truncation);
  return flops_of(Phase::train_step, c.spec) + head +
         (carrier ? forward_flops(*carrier, truncation.k1 * s.B) : 0);
}

std::size_t trainer_bytes(const Backend& backend, const Case& c, const TrainingOptions& options) {
  const Shape& s = c.spec.shape;
  const net::Truncation truncation = truncation_of(c, options);
  return dispatch(c.dtype, [&]<class T>(std::type_identity<T>) {
    const Index parameters = LanguageModel<T>::parameters(c.spec);
    const Index logits = checked_product({2, truncation.k1, s.B, s.I}, "logits");
    const Index elements =
        checked_sum({parameters, parameters, logits}, "parameters, gradients and logits");
    std::size_t bytes = static_cast<std::size_t>(elements) * sizeof(T) +
                        net::TruncatedStack<T>::buffer_bytes(c.spec, truncation) +
                        net::Optimizer<T>::bytes(options.optimizer, parameters) +
                        workspace_bytes(backend, c);
    if (const auto carrier = net::TruncatedStack<T>::carrier_spec(c.spec, truncation)) {
      bytes += workspace_bytes(backend, carrier_of(c, *carrier));
    }
    return bytes;
  });
}

}  // namespace bptt::bench

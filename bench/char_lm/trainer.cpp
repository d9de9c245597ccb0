#include "bench/char_lm/trainer.hpp"

#include <algorithm>

#include "impls/api/tensor.hpp"
#include "impls/net/dense.hpp"
#include "impls/net/initialise.hpp"
#include "impls/net/loss.hpp"
#include "impls/net/optimizer.hpp"

namespace bptt::bench {
namespace {

template <class T>
View<const T> read_only(View<T> view) {
  return view;
}

/// Extents: O outputs are as many as inputs I, the alphabet.
template <Real T>
class TypedTrainer final : public Trainer {
 public:
  TypedTrainer(const Backend& backend, const Case& c, const Corpus& corpus,
               const TrainerOptions& options)
      : options_(options),
        windows_(corpus, c.spec.shape.T, c.spec.shape.B),
        characters_(static_cast<std::size_t>(c.spec.shape.T * c.spec.shape.B)),
        targets_(characters_.size()),
        layer_(c.spec),
        logits_({c.spec.shape.T, c.spec.shape.B, c.spec.shape.I}),
        dlogits_(logits_.view().extents()),
        weight_({c.spec.shape.I, c.spec.shape.H}),
        dweight_(weight_.view().extents()),
        bias_({c.spec.shape.I}),
        dbias_(bias_.view().extents()),
        plan_(backend.plan<T>(c.spec, c.exec)) {
    net::Random random(options.seed);
    net::initialise(c.spec, layer_.params, random);
    net::fill_uniform(weight_.view(), c.spec.shape.H, random);
    net::fill_uniform(bias_.view(), c.spec.shape.H, random);
    collect(c.spec, layer_.params, weight_.view(), bias_.view(), params_);
    collect(c.spec, layer_.grads.params, dweight_.view(), dbias_.view(), grads_);
  }

  void load() override {
    for (std::size_t row = 0; row < characters_.size(); ++row) one_hot(row) = 0;
    windows_.read(step_, characters_, targets_);
    for (std::size_t row = 0; row < characters_.size(); ++row) one_hot(row) = 1;
    carry_state(layer_.out.hT, layer_.in.h0);
    carry_state(layer_.out.cT, layer_.in.c0);
    ++step_;
  }

  double step() override {
    plan_->forward(layer_.params, layer_.in, layer_.out);
    const auto states = read_only(layer_.out.y);
    net::dense_forward(states, read_only(weight_.view()), read_only(bias_.view()), logits_.view());
    const double scale = 1 / static_cast<double>(characters_.size());
    const double loss = scale * net::softmax_cross_entropy(read_only(logits_.view()), targets_, {},
                                                           scale, dlogits_.view());
    net::dense_backward(states, read_only(weight_.view()), read_only(dlogits_.view()),
                        layer_.dout.y, dweight_.view(), dbias_.view());
    plan_->backward(layer_.params, layer_.in, OutputGrads<const T>{layer_.dout.y, {}, {}},
                    Grads<T>{layer_.grads.params, {}, {}, {}});
    net::clip_by_global_norm<T>(grads_, options_.clip_norm);
    net::sgd_step<T>(params_, grads_, options_.learning_rate);
    return loss;
  }

  std::size_t workspace_bytes() const override { return plan_->workspace_bytes(); }

 private:
  static void collect(const Spec& spec, const Params<T>& layer, View<T> weight, View<T> bias,
                      std::vector<View<T>>& all) {
    for_each(spec, layer, [&](const TensorInfo&, View<T> view) {
      if (view) all.push_back(view);
    });
    all.push_back(weight);
    all.push_back(bias);
  }

  T& one_hot(std::size_t row) {
    return layer_.in.x[static_cast<Index>(row) * layer_.spec().shape.I + characters_[row]];
  }

  void carry_state(View<T> from, View<T> to) {
    if (!to) return;
    if (windows_.starts_anew(step_)) {
      std::fill(to.begin(), to.end(), T{});
    } else {
      std::copy(from.begin(), from.end(), to.begin());
    }
  }

  TrainerOptions options_;
  Windows windows_;
  Index step_ = 0;
  std::vector<Index> characters_, targets_;  ///< [T*B]
  Problem<T> layer_;
  Tensor<T> logits_, dlogits_;  ///< [T,B,O]
  Tensor<T> weight_, dweight_;  ///< [O,H]
  Tensor<T> bias_, dbias_;      ///< [O]
  std::unique_ptr<Plan<T>> plan_;
  std::vector<View<T>> params_, grads_;
};

}  // namespace

std::unique_ptr<Trainer> Trainer::make(const Backend& backend, const Case& c, const Corpus& corpus,
                                       const TrainerOptions& options) {
  return dispatch(c.dtype, [&]<class T>(std::type_identity<T>) -> std::unique_ptr<Trainer> {
    return std::make_unique<TypedTrainer<T>>(backend, c, corpus, options);
  });
}

double trainer_flops(const Case& c) {
  const Shape& s = c.spec.shape;
  const double head = 3 * 2.0 * static_cast<double>(s.T * s.B) * static_cast<double>(s.I * s.H);
  return flops_of(Phase::train_step, c.spec) + head;
}

std::size_t trainer_bytes(const Case& c) {
  const Shape& s = c.spec.shape;
  const Index logits = checked_product({2, s.T, s.B, s.I}, "logits");
  const Index head = checked_product({2, s.I, s.H + 1}, "head");
  return tensor_bytes(c) +
         static_cast<std::size_t>(checked_sum({logits, head}, "head")) * bytes_of(c.dtype);
}

}  // namespace bptt::bench

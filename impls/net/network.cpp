#include "impls/net/network.hpp"

#include <algorithm>

#include "impls/net/owning_model.hpp"
#include "impls/net/scalar_math.hpp"
#include "impls/net/sequences.hpp"

namespace bptt::net {
namespace {

template <Scalar T>
class Network final : public OwningModel<T> {
 public:
  Network(const NetworkSpec& spec, std::span<const Index> lengths, const PlanMaker<T>& make_plan)
      : spec_((spec.validate(), spec)),
        lengths_(lengths.begin(), lengths.end()),
        stack_(spec.stack, make_plan) {
    const Shape& s = spec_.stack.shape;
    check_lengths(spec_.stack, lengths, "lengths");
    if (spec_.head) head_.emplace(*spec_.head, s.T, s.B, spec_.stack.output_width(), lengths);
    for (const Index length : lengths_) first_step_.push_back(std::min<Index>(length, 1));
    declare_tensors();
    this->allocate("network " + to_string(spec_));
    recurrent_.read_only_params = read_only(recurrent_.params);
    dense_.read_only_params = {dense_.params.begin(), dense_.params.end()};
    if (!spec_.input_at_first_step_only) all_x_ = recurrent_.in.x, all_dx_ = recurrent_.din.x;
  }

  Index classes() const override { return this->targets_.empty() ? 0 : spec_.head->O; }

  void forward() override {
    if (spec_.input_at_first_step_only) {
      std::copy(recurrent_.in.x.begin(), recurrent_.in.x.end(), all_x_.begin());
    }
    stack_.forward(recurrent_.read_only_params, stack_inputs(), recurrent_.out);
    if (head_) {
      dense_.loss[0] = head_->forward(dense_.read_only_params, std::as_const(recurrent_.out.y),
                                      this->target_of(dense_));
    }
  }

  T loss() const override { return head_ ? dense_.loss[0] : inner_product(); }

  void backward() override {
    if (head_) {
      head_->backward(dense_.read_only_params, recurrent_.out.y, dense_.dparams, recurrent_.dout.y);
    }
    stack_.backward(recurrent_.read_only_params, stack_inputs(), recurrent_.dout,
                    {recurrent_.dparams, all_dx_, recurrent_.din.h0, recurrent_.din.c0});
    if (spec_.input_at_first_step_only) {
      std::copy_n(all_dx_.data(), recurrent_.din.x.size(), recurrent_.din.x.data());
    }
  }

  std::size_t workspace_bytes() const override {
    return stack_.workspace_bytes() + this->buffer_bytes() + (head_ ? head_->workspace_bytes() : 0);
  }

 private:
  void declare_tensors() {
    const StackSpec& stack = spec_.stack;
    this->declare_parameters(stack, "", recurrent_);
    if (spec_.head) {
      this->declare_parameters(
          spec_.head->mlp(stack.output_width()),
          [&](std::size_t layer) { return head_prefix(*spec_.head, layer); }, dense_);
    }
    declare_network_inputs();
    if (spec_.head) {
      this->declare_target(*spec_.head,
                           this->over_time("target", Role::target, stack.shape.T, lengths_),
                           {stack.shape.T, stack.shape.B, spec_.head->O}, dense_);
      this->declare_buffer(output_extents(stack), &recurrent_.dout.y);
    } else {
      this->declare_upstream(stack, lengths_, recurrent_);
    }
    this->declare_outputs(stack, "", lengths_, recurrent_);
    if (spec_.head) this->declare_loss(dense_);
  }

  void declare_network_inputs() {
    if (!spec_.input_at_first_step_only) {
      return this->declare_inputs(spec_.stack, "", lengths_, recurrent_);
    }
    const Shape& s = spec_.stack.shape;
    StackSpec first = spec_.stack;
    first.shape.T = 1;
    this->declare_inputs(first, "", first_step_, recurrent_);
    recurrent_.in.lengths = lengths_;
    this->declare_buffer({s.T, s.B, s.I}, &all_x_);
    this->declare_buffer({s.T, s.B, s.I}, &all_dx_);
  }

  Inputs<const T> stack_inputs() const {
    return {all_x_, recurrent_.in.h0, recurrent_.in.c0, lengths_};
  }

  /// <dy,y> + <dhT,hT> + <dcT,cT>, padding not read.
  T inner_product() const {
    Accumulator<T> sum(0);
    const auto add = [&sum](const T* a, const T* b, Index n) {
      for (Index k = 0; k < n; ++k) sum += Accumulator<T>(a[k]) * Accumulator<T>(b[k]);
    };
    const auto& [y, hT, cT] = recurrent_.out;
    const Extents& e = y.extents();
    for (Index t = 0; t < e[0]; ++t) {
      for (Index b = 0; b < e[1]; ++b) {
        if (t < live_steps(lengths_, b, e[0])) add(&recurrent_.dout.y(t, b, 0), &y(t, b, 0), e[2]);
      }
    }
    add(recurrent_.dout.hT.data(), hT.data(), hT.size());
    if (cT) add(recurrent_.dout.cT.data(), cT.data(), cT.size());
    return static_cast<T>(sum);
  }

  NetworkSpec spec_;
  std::vector<Index> lengths_;
  std::vector<Index> first_step_;  ///< live steps of an x of one step
  Stack<T> stack_;
  std::optional<Head<T>> head_;
  StackTensors<T> recurrent_;
  HeadTensors<T> dense_;
  View<T> all_x_, all_dx_;  ///< [T,B,I]; those of the tensors, but where x has one step only
};

}  // namespace

void NetworkSpec::validate() const {
  stack.validate();
  if (head) head->validate();
}

std::string to_string(const NetworkSpec& spec) {
  return to_string(spec.stack) + (spec.input_at_first_step_only ? " input=first_step" : "") +
         (spec.head ? " head " + to_string(*spec.head) : "");
}

template <Scalar T>
std::unique_ptr<Model<T>> make_network(const NetworkSpec& spec, std::span<const Index> lengths,
                                       const PlanMaker<T>& make_plan) {
  return std::make_unique<Network<T>>(spec, lengths, make_plan);
}

#define BPTT_INSTANTIATE(T)                                                                      \
  template std::unique_ptr<Model<T>> make_network<T>(const NetworkSpec&, std::span<const Index>, \
                                                     const PlanMaker<T>&);
BPTT_INSTANTIATE(float)
BPTT_INSTANTIATE(double)
BPTT_INSTANTIATE(long double)
BPTT_INSTANTIATE(std::complex<double>)
#undef BPTT_INSTANTIATE

}  // namespace bptt::net

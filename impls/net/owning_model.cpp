#include "impls/net/owning_model.hpp"

#include "impls/api/memory.hpp"

namespace bptt::net {
namespace {

/// Pointers to a structure's views, in the visitor's order. The visitors hand out constant
/// references to members that are not.
template <Scalar T, class AnySpec, class Tensors>
std::vector<View<T>*> views_of(const AnySpec& spec, const Tensors& tensors) {
  std::vector<View<T>*> views;
  for_each(spec, tensors, [&](const TensorInfo&, const View<T>& view) {
    views.push_back(const_cast<View<T>*>(&view));
  });
  return views;
}

}  // namespace

template <Scalar T>
void OwningModel<T>::declare(ModelTensor<T> tensor, const Extents& extents, View<T>* value,
                             View<T>* gradient) {
  if (extents.rank() == 0) return;
  declared_.push_back({std::move(tensor), extents, value, gradient, true});
}

template <Scalar T>
void OwningModel<T>::declare_buffer(const Extents& extents, View<T>* buffer) {
  declared_.push_back({plain("", Role::output), extents, buffer, nullptr, false});
}

template <Scalar T>
ModelTensor<T> OwningModel<T>::plain(std::string name, Role role) {
  ModelTensor<T> tensor;
  tensor.name = std::move(name);
  tensor.role = role;
  return tensor;
}

template <Scalar T>
ModelTensor<T> OwningModel<T>::over_time(std::string name, Role role, Index steps,
                                         const std::vector<Index>& lengths) {
  ModelTensor<T> tensor = plain(std::move(name), role);
  tensor.outer = OuterAxis::time;
  tensor.blocks = steps;
  tensor.lengths = lengths.empty() ? nullptr : &lengths;
  return tensor;
}

template <Scalar T>
void OwningModel<T>::declare_parameters(const StackSpec& spec, const std::string& prefix,
                                        StackTensors<T>& stack) {
  const auto count = static_cast<std::size_t>(spec.states());
  stack.params.resize(count);
  stack.dparams.resize(count);
  for (Index i = 0; i < spec.states(); ++i) {
    const Index layer = i / spec.directions(), direction = i % spec.directions();
    const Spec layer_spec = spec.layer_spec(layer);
    const auto index = static_cast<std::size_t>(i);
    const auto gradients = views_of<T>(layer_spec, stack.dparams[index]);
    auto gradient = gradients.begin();
    for_each(layer_spec, stack.params[index], [&](const TensorInfo& info, const View<T>& view) {
      ModelTensor<T> tensor =
          plain(prefix + parameter_name(info.base_name, layer, direction), Role::parameter);
      tensor.outer = OuterAxis::gates;
      const bool peephole = info.base_name == "weight_peephole_l0";
      for (Index g = 0; g < spec.cell.gates(); ++g) {
        if (peephole && spec.cell.gate_name(g) == "g") continue;  // the candidate has none
        tensor.gate_names.emplace_back(spec.cell.gate_name(g));
      }
      tensor.blocks = static_cast<Index>(tensor.gate_names.size());
      declare(std::move(tensor), info.extents, const_cast<View<T>*>(&view), *gradient++);
    });
  }
}

template <Scalar T>
template <class Tensors>
void OwningModel<T>::declare_all(const StackSpec& spec, const std::string& prefix, Role role,
                                 const std::vector<Index>& lengths, const Tensors& values,
                                 const Tensors* gradients) {
  const auto pointers = gradients ? views_of<T>(spec, *gradients) : std::vector<View<T>*>();
  auto gradient = pointers.begin();
  for_each(spec, values, [&](const TensorInfo& info, const View<T>& view) {
    const bool is_state = info.extents.rank() == 3 && info.base_name != "x" &&
                          info.base_name != "y" && info.base_name != "dy";
    ModelTensor<T> tensor =
        over_time(prefix + std::string(info.base_name), role, spec.shape.T, lengths);
    if (is_state) {
      tensor.outer = OuterAxis::states;
      tensor.blocks = spec.states();
      tensor.lengths = nullptr;
    }
    declare(std::move(tensor), info.extents, const_cast<View<T>*>(&view),
            pointers.empty() ? nullptr : *gradient++);
  });
}

template <Scalar T>
void OwningModel<T>::declare_inputs(const StackSpec& spec, const std::string& prefix,
                                    const std::vector<Index>& lengths, StackTensors<T>& stack) {
  declare_all(spec, prefix, Role::input, lengths, stack.in, &stack.din);
  stack.in.lengths = lengths;
}

template <Scalar T>
void OwningModel<T>::declare_upstream(const StackSpec& spec, const std::vector<Index>& lengths,
                                      StackTensors<T>& stack) {
  declare_all<OutputGrads<T>>(spec, "", Role::upstream, lengths, stack.dout, nullptr);
}

template <Scalar T>
void OwningModel<T>::declare_outputs(const StackSpec& spec, const std::string& prefix,
                                     const std::vector<Index>& lengths, StackTensors<T>& stack) {
  declare_all<Outputs<T>>(spec, prefix, Role::output, lengths, stack.out, nullptr);
}

template <Scalar T>
void OwningModel<T>::declare_target(const HeadSpec& spec, ModelTensor<T> like,
                                    const Extents& extents, HeadTensors<T>& head) {
  if (spec.loss == Loss::softmax_cross_entropy) {
    Index rows = 1;
    for (int axis = 0; axis + 1 < extents.rank(); ++axis) {
      rows = checked_product({rows, extents[axis]}, "targets");
    }
    require_memory(static_cast<std::size_t>(checked_product({rows, sizeof(Index)}, "targets")),
                   "targets");
    this->targets_.assign(static_cast<std::size_t>(rows), 0);
  } else {
    declare(std::move(like), extents, &head.target);
  }
}

template <Scalar T>
void OwningModel<T>::declare_loss(HeadTensors<T>& head) {
  declare(plain("loss", Role::output), {1}, &head.loss);
}

template <Scalar T>
void OwningModel<T>::allocate(const std::string& what) {
  Index all = 0, buffers = 0;
  for (const Declared& d : declared_) {
    const Extents& e = d.extents;
    const Index size =
        checked_product({e[0], e.rank() > 1 ? e[1] : 1, e.rank() > 2 ? e[2] : 1}, "tensors");
    all = checked_sum({all, size, d.gradient ? size : 0}, "tensors");
    if (!d.is_listed) buffers = checked_sum({buffers, size}, "tensors");
  }
  constexpr Index element = sizeof(T);
  require_memory(static_cast<std::size_t>(checked_product({all, element}, "tensors")),
                 "tensors of " + what);
  buffer_bytes_ = static_cast<std::size_t>(buffers * element);
  const auto own = [this](const Extents& extents) {
    storage_.emplace_back(extents);
    return storage_.back().view();
  };
  for (Declared& d : declared_) {
    *d.value = d.tensor.value = own(d.extents);
    if (d.gradient) *d.gradient = d.tensor.gradient = own(d.extents);
    if (d.is_listed) this->tensors_.push_back(std::move(d.tensor));
  }
  declared_.clear();
}

template class OwningModel<float>;
template class OwningModel<double>;
template class OwningModel<long double>;
template class OwningModel<std::complex<double>>;

}  // namespace bptt::net

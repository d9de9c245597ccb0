#include "verify/subjects.hpp"

#include <algorithm>

#include "verify/inputs.hpp"
#include "verify/layer_model.hpp"

namespace bptt::verify {
namespace {

struct VariantRow {
  Variant variant;
  std::string_view name;
};
constexpr VariantRow variants[] = {{Variant::plain, "plain"},
                                   {Variant::lengths, "lengths"},
                                   {Variant::bare, "bare"},
                                   {Variant::last, "last"}};

/// Sets a layer's lengths, and clears the views that a variant does not have.
struct Prepare {
  std::vector<Index> lengths;
  Variant variant;

  template <Scalar T>
  void operator()(Problem<T>& p) const {
    p.lengths() = lengths;
    p.in.lengths = p.lengths();
    if (variant == Variant::bare) {
      p.in.h0 = p.in.c0 = p.out.hT = p.out.cT = p.dout.hT = p.dout.cT = {};
      p.grads.x = p.grads.h0 = p.grads.c0 = p.grads.params.weight_hh = p.grads.params.bias_hh = {};
    }
    if (variant == Variant::last) {
      p.dout.y = p.grads.params.weight_ih = p.grads.params.bias_ih = {};
    }
  }
};

/// How inputs of a subject are drawn that has no way of its own.
constexpr auto draw_any = [](const Subject& subject, std::uint64_t seed, Dtype dtype) {
  return dispatch(dtype,
                  [&]<class T>(std::type_identity<T>) { return draw_model<T>(subject, seed); });
};

}  // namespace

std::string_view name_of(Variant variant) {
  return std::find_if(std::begin(variants), std::end(variants),
                      [variant](const VariantRow& row) { return row.variant == variant; })
      ->name;
}

std::vector<Index> unsorted_lengths(const Shape& shape) {
  const auto [T, B, I, H] = shape;
  std::vector<Index> lengths;
  for (Index b = 0; b < B; ++b) lengths.push_back(1 + (b * 31 + 17) % T);
  // A full one is never first, so that "the longest comes first" is not taken for granted.
  const Index pinned[] = {(T + 1) / 2, T, 1, 0};
  for (Index b = 0; b < std::min<Index>(B, 4); ++b)
    lengths[static_cast<std::size_t>(b)] = pinned[b];
  if (B == 1) lengths[0] = std::max<Index>(T - 2, 1);
  return lengths;
}

template <Real T>
Given given_of(const Problem<T>& p) {
  Given given;
  const auto add = [&](const TensorInfo&, const View<T>& view) {
    if (view) given.values.emplace_back(view.begin(), view.end());
  };
  for_each(p.spec(), Grads<T>{p.params, p.in.x, p.in.h0, p.in.c0}, add);
  for_each(p.spec(), p.dout, add);
  return given;
}
template Given given_of(const Problem<float>&);
template Given given_of(const Problem<double>&);

std::shared_ptr<const Subject> layer_subject(const Spec& spec, std::vector<Index> lengths,
                                             Variant variant) {
  const Prepare prepare{std::move(lengths), variant};
  const auto make = [spec, prepare]<Scalar T>(const net::PlanMaker<T>& plans) {
    return std::unique_ptr<net::Model<T>>(std::make_unique<LayerModel<T>>(spec, plans, prepare));
  };
  const auto draw = [spec, prepare](const Subject&, std::uint64_t seed, Dtype dtype) {
    return dispatch(dtype, [&]<class T>(std::type_identity<T>) {
      Problem<T> p(spec);
      prepare(p);
      draw_inputs(seed, p);
      return given_of(p);
    });
  };
  return make_subject(spec.cell, make, draw);
}

std::shared_ptr<const Subject> network_subject(const net::NetworkSpec& spec,
                                               std::vector<Index> lengths) {
  const auto make = [spec, lengths = std::move(lengths)]<Scalar T>(const net::PlanMaker<T>& plans) {
    return net::make_network<T>(spec, lengths, plans);
  };
  return make_subject(spec.stack.cell, make, draw_any);
}

std::shared_ptr<const Subject> architecture_subject(const net::Architecture& architecture,
                                                    const net::ArchitectureSettings& settings) {
  const auto make = [&architecture, settings]<Scalar T>(const net::PlanMaker<T>& plans) {
    return architecture.make<T>(settings, plans);
  };
  return make_subject(settings.cell, make, draw_any);
}

}  // namespace bptt::verify

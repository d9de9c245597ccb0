#include "impls/onednn/version.hpp"

#include <iterator>

#include "impls/onednn/engine.hpp"

namespace bptt::onednn {
namespace {

using dnnl::memory;
using dnnl::prop_kind;

dnnl::primitive_attr own_scratchpad() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

/// oneDNN has them as sets of bits: a table of them lists what contains another one after it.
struct InstructionSet {
  dnnl::cpu_isa isa;
  const char* name;
};

}  // namespace

#if DNNL_VERSION_MAJOR == 2

namespace {

constexpr InstructionSet instruction_sets[] = {
    {dnnl::cpu_isa::sse41, "SSE4.1"},
    {dnnl::cpu_isa::avx, "AVX"},
    {dnnl::cpu_isa::avx2, "AVX2"},
    {dnnl::cpu_isa::avx2_vnni, "AVX2 VNNI"},
    {dnnl::cpu_isa::avx512_core, "AVX-512"},
    {dnnl::cpu_isa::avx512_core_vnni, "AVX-512 VNNI"},
    {dnnl::cpu_isa::avx512_core_bf16, "AVX-512 BF16"},
    {dnnl::cpu_isa::avx512_core_amx, "AVX-512 AMX"},
};

template <class Forward, class Backward>
Descriptors make(const typename Forward::desc& forward, const typename Backward::desc& backward) {
  const typename Forward::primitive_desc f(forward, own_scratchpad(), engine());
  const typename Backward::primitive_desc b(backward, own_scratchpad(), engine(), f);
  return {f, b};
}

template <class Forward, class Backward>
Descriptors make_gru(const Layouts& l) {
  return make<Forward, Backward>(
      {prop_kind::forward_training, l.direction, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state},
      {prop_kind::backward, l.direction, l.src_layer, l.state, l.weights_layer, l.weights_iter,
       l.bias, l.dst_layer, l.state, l.src_layer, l.state, l.weights_layer, l.weights_iter, l.bias,
       l.dst_layer, l.state});
}

}  // namespace

Descriptors describe_rnn(const Layouts& l, dnnl::algorithm activation, float alpha) {
  return make<dnnl::vanilla_rnn_forward, dnnl::vanilla_rnn_backward>(
      {prop_kind::forward_training, activation, l.direction, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state, dnnl::rnn_flags::undef, alpha},
      {prop_kind::backward, activation, l.direction, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state, l.src_layer, l.state, l.weights_layer,
       l.weights_iter, l.bias, l.dst_layer, l.state, dnnl::rnn_flags::undef, alpha});
}

Descriptors describe_lstm(const Layouts& l) {
  return make<dnnl::lstm_forward, dnnl::lstm_backward>(
      {prop_kind::forward_training, l.direction, l.src_layer, l.state, l.state, l.weights_layer,
       l.weights_iter, l.peephole, l.bias, l.dst_layer, l.state, l.state},
      {prop_kind::backward,
       l.direction,
       l.src_layer,
       l.state,
       l.state,
       l.weights_layer,
       l.weights_iter,
       l.peephole,
       l.bias,
       l.dst_layer,
       l.state,
       l.state,
       l.src_layer,
       l.state,
       l.state,
       l.weights_layer,
       l.weights_iter,
       l.peephole,
       l.bias,
       l.dst_layer,
       l.state,
       l.state});
}

Descriptors describe_gru(const Layouts& l) {
  return make_gru<dnnl::gru_forward, dnnl::gru_backward>(l);
}

Descriptors describe_lbr_gru(const Layouts& l) {
  return make_gru<dnnl::lbr_gru_forward, dnnl::lbr_gru_backward>(l);
}

dnnl::reorder make_reorder(Arguments& arguments, float factor) {
  dnnl::primitive_attr attributes;
  if (factor != 1) attributes.set_output_scales(0, {factor});
  return {arguments.at(DNNL_ARG_FROM), arguments.at(DNNL_ARG_TO), attributes};
}

#else

namespace {

constexpr InstructionSet instruction_sets[] = {
    {dnnl::cpu_isa::sse41, "SSE4.1"},
    {dnnl::cpu_isa::avx, "AVX"},
    {dnnl::cpu_isa::avx2, "AVX2"},
    {dnnl::cpu_isa::avx2_vnni, "AVX2 VNNI"},
    {dnnl::cpu_isa::avx2_vnni_2, "AVX2 VNNI 2"},
    {dnnl::cpu_isa::avx512_core, "AVX-512"},
    {dnnl::cpu_isa::avx512_core_vnni, "AVX-512 VNNI"},
    {dnnl::cpu_isa::avx512_core_bf16, "AVX-512 BF16"},
    {dnnl::cpu_isa::avx512_core_fp16, "AVX-512 FP16"},
    {dnnl::cpu_isa::avx512_core_amx, "AVX-512 AMX"},
    {dnnl::cpu_isa::avx512_core_amx_fp16, "AVX-512 AMX FP16"},
};

constexpr auto training = dnnl_forward_training;
constexpr unsigned add = dnnl_rnn_flags_undef;
constexpr unsigned overwrite = dnnl_rnn_flags_diff_weights_overwrite;

/// make(where): a function of the C interface.
template <class Make>
dnnl::primitive_desc made_by(const Make& make) {
  dnnl_primitive_desc_t made = nullptr;
  dnnl::error::wrap_c_api(make(&made), "could not create a primitive descriptor of an RNN");
  dnnl::primitive_desc description;
  description.reset(made);
  return description;
}

/// make_forward(where, attributes), make_backward(where, flags, forward, attributes). The flags are
/// the reason for the C interface: that of C++ has no argument for them.
template <class MakeForward, class MakeBackward>
Descriptors make(const MakeForward& make_forward, const MakeBackward& make_backward) {
  const dnnl::primitive_attr attributes = own_scratchpad();
  const auto forward = made_by([&](auto** made) { return make_forward(made, attributes.get()); });
  const auto backward = [&](unsigned flags) {
    return made_by(
        [&](auto** made) { return make_backward(made, flags, forward.get(), attributes.get()); });
  };
  const auto adds = backward(add), overwrites = backward(overwrite);
  // Where it made oneDNN fall back to another implementation, the flag would not be worth it.
  if (std::string(adds.impl_info_str()) != overwrites.impl_info_str()) return {forward, adds};
  return {forward, overwrites, true};
}

/// gru and lbr_gru, whose functions differ in nothing but their names.
template <auto make_forward, auto make_backward>
Descriptors make_gru(const Layouts& l) {
  const auto direction = dnnl::convert_to_c(l.direction);
  return make(
      [&](auto** made, const auto* attributes) {
        return make_forward(made, engine().get(), training, direction, l.src_layer.get(),
                            l.state.get(), l.weights_layer.get(), l.weights_iter.get(),
                            l.bias.get(), l.dst_layer.get(), l.state.get(), add, attributes);
      },
      [&](auto** made, unsigned flags, const auto* forward, const auto* attributes) {
        return make_backward(made, engine().get(), dnnl_backward, direction, l.src_layer.get(),
                             l.state.get(), l.weights_layer.get(), l.weights_iter.get(),
                             l.bias.get(), l.dst_layer.get(), l.state.get(), l.src_layer.get(),
                             l.state.get(), l.weights_layer.get(), l.weights_iter.get(),
                             l.bias.get(), l.dst_layer.get(), l.state.get(), flags, forward,
                             attributes);
      });
}

}  // namespace

Descriptors describe_rnn(const Layouts& l, dnnl::algorithm activation, float alpha) {
  const auto direction = dnnl::convert_to_c(l.direction);
  const auto function = dnnl::convert_to_c(activation);
  constexpr float beta = 0;
  return make(
      [&](auto** made, const auto* attributes) {
        return dnnl_vanilla_rnn_forward_primitive_desc_create(
            made, engine().get(), training, function, direction, l.src_layer.get(), l.state.get(),
            l.weights_layer.get(), l.weights_iter.get(), l.bias.get(), l.dst_layer.get(),
            l.state.get(), add, alpha, beta, attributes);
      },
      [&](auto** made, unsigned flags, const auto* forward, const auto* attributes) {
        return dnnl_vanilla_rnn_backward_primitive_desc_create(
            made, engine().get(), dnnl_backward, function, direction, l.src_layer.get(),
            l.state.get(), l.weights_layer.get(), l.weights_iter.get(), l.bias.get(),
            l.dst_layer.get(), l.state.get(), l.src_layer.get(), l.state.get(),
            l.weights_layer.get(), l.weights_iter.get(), l.bias.get(), l.dst_layer.get(),
            l.state.get(), flags, alpha, beta, forward, attributes);
      });
}

Descriptors describe_lstm(const Layouts& l) {
  const auto direction = dnnl::convert_to_c(l.direction);
  const auto peephole = l.peephole.get(/*allow_empty=*/true);
  const auto no_projection = nullptr;
  return make(
      [&](auto** made, const auto* attributes) {
        return dnnl_lstm_forward_primitive_desc_create(
            made, engine().get(), training, direction, l.src_layer.get(), l.state.get(),
            l.state.get(), l.weights_layer.get(), l.weights_iter.get(), peephole, no_projection,
            l.bias.get(), l.dst_layer.get(), l.state.get(), l.state.get(), add, attributes);
      },
      [&](auto** made, unsigned flags, const auto* forward, const auto* attributes) {
        return dnnl_lstm_backward_primitive_desc_create(
            made, engine().get(), dnnl_backward, direction, l.src_layer.get(), l.state.get(),
            l.state.get(), l.weights_layer.get(), l.weights_iter.get(), peephole, no_projection,
            l.bias.get(), l.dst_layer.get(), l.state.get(), l.state.get(), l.src_layer.get(),
            l.state.get(), l.state.get(), l.weights_layer.get(), l.weights_iter.get(), peephole,
            no_projection, l.bias.get(), l.dst_layer.get(), l.state.get(), l.state.get(), flags,
            forward, attributes);
      });
}

Descriptors describe_gru(const Layouts& l) {
  return make_gru<dnnl_gru_forward_primitive_desc_create, dnnl_gru_backward_primitive_desc_create>(
      l);
}

Descriptors describe_lbr_gru(const Layouts& l) {
  return make_gru<dnnl_lbr_gru_forward_primitive_desc_create,
                  dnnl_lbr_gru_backward_primitive_desc_create>(l);
}

dnnl::reorder make_reorder(Arguments& arguments, float factor) {
  dnnl::primitive_attr attributes;
  if (factor != 1) {
    // One for the whole tensor, read when it runs.
    attributes.set_scales_mask(DNNL_ARG_FROM, 0);
    const memory scale({{1}, memory::data_type::f32, memory::format_tag::x}, engine());
    *static_cast<float*>(scale.get_data_handle()) = factor;
    arguments.emplace(DNNL_ARG_ATTR_SCALES | DNNL_ARG_FROM, scale);
  }
  return {arguments.at(DNNL_ARG_FROM), arguments.at(DNNL_ARG_TO), attributes};
}

#endif

std::optional<std::string> known_fault(const CellMap& map, const Shape& shape) {
  if (map.primitive != Primitive::gru) return std::nullopt;
  // Seen in 3.7.2 and 3.12.1, neither of which has the other one's; those between were not tried.
  const dnnl_version_t* v = dnnl::version();
  if (v->major == 3 && v->minor < 12 && shape.H == 1 && shape.B > 1) {
    return "oneDNN 3.7's gru of one unit is wrong for all sequences but the first "
           "(docs/peers.md)";
  }
  if (v->major == 3 && v->minor > 7 && shape.I > shape.H) {
    return "oneDNN 3.12's gru writes beyond its memory where I is larger than H (docs/peers.md)";
  }
  return std::nullopt;
}

std::string live_instruction_set() {
  const auto bits = [](dnnl::cpu_isa isa) { return static_cast<unsigned>(isa); };
  const unsigned live = bits(dnnl::get_effective_cpu_isa());
  // The last that is part of what is live: there may be newer ones than this table's.
  for (auto set = std::rbegin(instruction_sets); set != std::rend(instruction_sets); ++set) {
    if ((live & bits(set->isa)) != bits(set->isa)) continue;
    return live == bits(set->isa) ? set->name : std::string(set->name) + " and more";
  }
  return "unknown instruction set";
}

}  // namespace bptt::onednn

// One row of bptt-bench with oneDNN alone: the training step of an lstm, forward_training and
// backward, weights brought into oneDNN's layouts and gradients back in every one of them, as the
// suite does. It needs nothing of the suite, so it can check the suite's figure:
//
//   g++ -O2 -fopenmp row.cpp -ldnnl -o row
//   OMP_NUM_THREADS=1 OMP_PROC_BIND=true ./row T B I H [SECONDS]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <unordered_map>
#include <vector>

#include <oneapi/dnnl/dnnl.hpp>

using namespace dnnl;

// What oneDNN 2 has a descriptor for are arguments in 3.
template <class Primitive, class... Arguments>
auto describe(const engine& cpu, const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR == 2
  return typename Primitive::primitive_desc({arguments...}, cpu);
#else
  return typename Primitive::primitive_desc(cpu, arguments...);
#endif
}
template <class Primitive, class Hint, class... Arguments>
auto describe_after(const Hint& forward, const engine& cpu, const Arguments&... arguments) {
#if DNNL_VERSION_MAJOR == 2
  return typename Primitive::primitive_desc({arguments...}, cpu, forward);
#else
  return typename Primitive::primitive_desc(cpu, arguments..., forward);
#endif
}

int main(int argc, char** argv) {
  if (argc < 5 || argc > 6) return std::fprintf(stderr, "usage: row T B I H [SECONDS]\n"), 64;
  const double at_least = argc == 6 ? std::atof(argv[5]) : 2;
  const memory::dim T = std::atol(argv[1]), B = std::atol(argv[2]), I = std::atol(argv[3]),
                    H = std::atol(argv[4]);
  using tag = memory::format_tag;
  const engine cpu(engine::kind::cpu, 0);
  stream stream(cpu);
  const auto layout = [](const memory::dims& dims, tag format) {
    return memory::desc(dims, memory::data_type::f32, format);
  };
  const auto filled = [&](const memory::desc& desc, float scale) {
    memory tensor(desc, cpu);
    auto* numbers = static_cast<float*>(tensor.get_data_handle());
    for (std::size_t i = 0; i < desc.get_size() / sizeof(float); ++i) {
      numbers[i] = scale * (static_cast<float>(std::rand()) / static_cast<float>(RAND_MAX) - 0.5f);
    }
    return tensor;
  };

  const auto x = layout({T, B, I}, tag::tnc), y = layout({T, B, H}, tag::tnc),
             state = layout({1, 1, B, H}, tag::ldnc), bias = layout({1, 1, 4, H}, tag::ldgo),
             wx = layout({1, 1, I, 4, H}, tag::any), wh = layout({1, 1, H, 4, H}, tag::any);
  const auto one_way = rnn_direction::unidirectional_left2right;
  const auto forward = describe<lstm_forward>(cpu, prop_kind::forward_training, one_way, x, state,
                                              state, wx, wh, bias, y, state, state);
  const auto backward = describe_after<lstm_backward>(
      forward, cpu, prop_kind::backward, one_way, x, state, state, wx, wh, bias, y, state, state, x,
      state, state, wx, wh, bias, y, state, state);

  // Weights as PyTorch and the suite have them, [4*H,n], and their gradients.
  const memory our_wx = filled(layout({1, 1, I, 4, H}, tag::ldgoi), 0.1f),
               our_wh = filled(layout({1, 1, H, 4, H}, tag::ldgoi), 0.1f),
               our_dwx = filled(our_wx.get_desc(), 0), our_dwh = filled(our_wh.get_desc(), 0);
  const memory f_wx(forward.weights_layer_desc(), cpu), f_wh(forward.weights_iter_desc(), cpu),
      b_wx(backward.weights_layer_desc(), cpu), b_wh(backward.weights_iter_desc(), cpu),
      dwx(backward.diff_weights_layer_desc(), cpu), dwh(backward.diff_weights_iter_desc(), cpu);
  const memory db = filled(bias, 0);
  std::unordered_map<int, memory> tensors = {{DNNL_ARG_SRC_LAYER, filled(x, 2)},
                                             {DNNL_ARG_SRC_ITER, filled(state, 1)},
                                             {DNNL_ARG_SRC_ITER_C, filled(state, 1)},
                                             {DNNL_ARG_WEIGHTS_LAYER, f_wx},
                                             {DNNL_ARG_WEIGHTS_ITER, f_wh},
                                             {DNNL_ARG_BIAS, filled(bias, 0.1f)},
                                             {DNNL_ARG_DST_LAYER, filled(y, 0)},
                                             {DNNL_ARG_DST_ITER, filled(state, 0)},
                                             {DNNL_ARG_DST_ITER_C, filled(state, 0)},
                                             {DNNL_ARG_WORKSPACE, {forward.workspace_desc(), cpu}}};
  auto gradients = tensors;
  gradients[DNNL_ARG_WEIGHTS_LAYER] = b_wx;
  gradients[DNNL_ARG_WEIGHTS_ITER] = b_wh;
  gradients.insert({{DNNL_ARG_DIFF_DST_LAYER, filled(y, 2)},
                    {DNNL_ARG_DIFF_DST_ITER, filled(state, 2)},
                    {DNNL_ARG_DIFF_DST_ITER_C, filled(state, 2)},
                    {DNNL_ARG_DIFF_SRC_LAYER, filled(x, 0)},
                    {DNNL_ARG_DIFF_SRC_ITER, filled(state, 0)},
                    {DNNL_ARG_DIFF_SRC_ITER_C, filled(state, 0)},
                    {DNNL_ARG_DIFF_WEIGHTS_LAYER, dwx},
                    {DNNL_ARG_DIFF_WEIGHTS_ITER, dwh},
                    {DNNL_ARG_DIFF_BIAS, db}});

  struct Copy {
    memory from, to;
    reorder primitive{from, to};
    void run(dnnl::stream& on) { primitive.execute(on, from, to); }
  };
  // Where a layout is ours already, nothing is copied.
  std::vector<Copy> to_forward, to_backward, to_ours{{dwx, our_dwx}, {dwh, our_dwh}};
  const auto bring = [](std::vector<Copy>& copies, auto& arguments, int argument,
                        const memory& ours, const memory& theirs) {
    if (ours.get_desc() == theirs.get_desc()) {
      arguments[argument] = ours;
    } else {
      copies.push_back({ours, theirs});
    }
  };
  bring(to_forward, tensors, DNNL_ARG_WEIGHTS_LAYER, our_wx, f_wx);
  bring(to_forward, tensors, DNNL_ARG_WEIGHTS_ITER, our_wh, f_wh);
  bring(to_backward, gradients, DNNL_ARG_WEIGHTS_LAYER, our_wx, b_wx);
  bring(to_backward, gradients, DNNL_ARG_WEIGHTS_ITER, our_wh, b_wh);

  const lstm_forward run_forward(forward);
  const lstm_backward run_backward(backward);
  const auto step = [&] {
    for (Copy& copy : to_forward) copy.run(stream);
    run_forward.execute(stream, tensors);
    for (Copy& copy : to_backward) copy.run(stream);
    for (const memory& sum : {dwx, dwh, db}) {  // backward adds to them
      std::memset(sum.get_data_handle(), 0, sum.get_desc().get_size());
    }
    run_backward.execute(stream, gradients);
    for (Copy& copy : to_ours) copy.run(stream);
    stream.wait();
  };

  using clock = std::chrono::steady_clock;
  const auto seconds_since = [](clock::time_point start) {
    return std::chrono::duration<double>(clock::now() - start).count();
  };
  for (int warm_up = 0; warm_up < 3; ++warm_up) step();
  std::vector<double> seconds;
  for (const auto start = clock::now(); seconds.size() < 11 || seconds_since(start) < at_least;) {
    const auto begin = clock::now();
    step();
    seconds.push_back(seconds_since(begin));
  }
  std::nth_element(seconds.begin(), seconds.begin() + static_cast<long>(seconds.size() / 2),
                   seconds.end());
  const double median = seconds[seconds.size() / 2];
  const double flops = 3. * 2. * static_cast<double>(T * B * 4 * H * (I + H));
  std::printf(
      "oneDNN %d.%d.%d %s lstm T=%ld B=%ld I=%ld H=%ld: %.6g s in the median of %zu, %.4g "
      "GFLOP/s\n",
      dnnl_version()->major, dnnl_version()->minor, dnnl_version()->patch, forward.impl_info_str(),
      static_cast<long>(T), static_cast<long>(B), static_cast<long>(I), static_cast<long>(H),
      median, seconds.size(), flops / median / 1e9);
  return 0;
}

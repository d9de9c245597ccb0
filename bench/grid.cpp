#include "bench/grid.hpp"

#include "bench/system.hpp"
#include "impls/api/memory.hpp"
#include "impls/net/stack_problem.hpp"

namespace bptt::bench {

std::string to_string(const Case& c) {
  std::string text =
      to_string(c.spec.cell) + " " + std::string(name_of(c.dtype)) + " " + to_string(c.spec.shape);
  if (c.spec.layers != 1) text += ", " + std::to_string(c.spec.layers) + " layers";
  if (c.spec.bidirectional) text += ", both directions";
  if (c.lengths.given()) text += ", lengths=" + c.lengths.name();
  if (c.exec.recompute != Recompute::none) {
    text += ", recompute=" + std::string(name_of(c.exec.recompute));
  }
  if (c.mode == Mode::recurrent_only) text += ", recurrent only";
  return text + ", " + std::to_string(c.exec.threads) +
         (c.exec.threads == 1 ? " thread" : " threads");
}

Index live_steps(const Case& c) {
  return c.lengths.live_steps(c.spec.shape.T, c.spec.shape.B);
}

double flops_of(Phase phase, const Case& c) {
  const double all = flops_of(phase, c.spec, live_steps(c));
  if (c.mode == Mode::full_layer) return all;
  const auto recurrent = static_cast<double>(c.spec.shape.H);
  return all * recurrent / (recurrent + static_cast<double>(c.spec.shape.I));
}

std::vector<Case> expand(const Settings& settings) {
  std::vector<Case> cases;
  for (const Cell& cell : settings.cells) {
    for (const Dtype dtype : settings.dtypes) {
      for (const ShapeChoice& shape : settings.shapes) {
        if (shape.kind && *shape.kind != cell.kind) continue;
        Case c;
        c.dtype = dtype;
        c.exec.bind_threads = settings.bind_threads;
        c.mode = shape.mode.value_or(Mode::full_layer);
        const Index inputs = c.mode == Mode::recurrent_only ? 1 : shape.H;
        c.spec = {.cell = cell, .shape = {shape.T, shape.B, shape.I.value_or(inputs), shape.H}};
        for (const Index layers : settings.layers) {
          c.spec.layers = layers;
          for (const bool bidirectional : settings.bidirectional) {
            c.spec.bidirectional = bidirectional;
            for (const Spread& lengths : settings.lengths) {
              c.lengths = lengths;
              c.spec.lengths = lengths.given();
              for (const Recompute recompute : settings.recompute) {
                c.exec.recompute = recompute;
                for (const int threads : settings.threads) {
                  c.exec.threads = threads;
                  cases.push_back(c);
                }
              }
            }
          }
        }
      }
    }
  }
  return cases;
}

Case as_run(const Backend& backend, const Case& c) {
  Case run = c;
  // What is refused with lengths and without them is refused for the reason of the latter.
  if (net::stack_refusal(backend, c.spec, c.dtype, c.exec)) run.spec.lengths = false;
  return run;
}

bool is_padded(const Case& run) {
  return run.lengths.given() && !run.spec.lengths;
}

std::size_t tensor_bytes(const Case& c) {
  return dispatch(
      c.dtype, [&]<class T>(std::type_identity<T>) { return net::StackProblem<T>::bytes(c.spec); });
}

std::size_t result_bytes(const Case& c) {
  return dispatch(c.dtype, [&]<class T>(std::type_identity<T>) {
    return net::StackProblem<T>::result_bytes(c.spec);
  });
}

std::size_t workspace_bytes(const Backend& backend, const Case& c) {
  return net::stack_workspace_bytes(backend, as_run(backend, c).spec, c.dtype, c.exec);
}

std::optional<std::string> refusal(const Backend& backend, const Case& c) {
  try {
    c.spec.validate();
    const int processors = usable_processors();
    if (c.exec.threads > processors) {
      return std::to_string(c.exec.threads) + " threads on " + std::to_string(processors) +
             (processors == 1 ? " processor" : " processors");
    }
    if (auto reason = net::stack_refusal(backend, as_run(backend, c).spec, c.dtype, c.exec)) {
      return reason;
    }
    const std::size_t tensors = tensor_bytes(c) + result_bytes(c);
    const std::size_t workspace = workspace_bytes(backend, c);
    const std::size_t free = available_memory();
    if (tensors > free || workspace > free - tensors) {
      return "needs " + bytes_text(tensors) + " of tensors and " + bytes_text(workspace) +
             " of workspace; " + bytes_text(free) + " are free";
    }
    return std::nullopt;
  } catch (const Error& error) {
    // An extent beyond what 64 bits can count: in a sweep, one more case that cannot run here.
    return error.what();
  }
}

}  // namespace bptt::bench

// The extents of a shape: none of them may be zero, and each is right on its own, whatever the
// width of a register, a panel of units or a block of a matrix product.
#include <algorithm>

#include "verify/properties/checks.hpp"
#include "verify/properties/trial.hpp"

namespace bptt::verify {

void check_empty_extents(const std::function<void(const Spec&)>& accept, const Cell& cell,
                         std::vector<Finding>& findings) {
  struct Extent {
    const char* name;
    Index Shape::*member;
  };
  constexpr Extent extents[] = {
      {"T", &Shape::T}, {"B", &Shape::B}, {"I", &Shape::I}, {"H", &Shape::H}};
  for (const Extent& extent : extents) {
    for (const Index value : {Index{0}, Index{-1}}) {
      Spec spec;
      spec.cell = cell;
      spec.shape = {3, 4, 5, 6};
      spec.shape.*extent.member = value;
      const std::string asked = std::string(extent.name) + "=" + std::to_string(value);
      const auto add = [&](const std::string& message) {
        Finding finding;
        finding.check = "empty-extents";
        finding.message = asked + ": " + message;
        findings.push_back(std::move(finding));
      };
      try {
        accept(spec);
        add("expected it to be refused as wrong usage; it was taken");
      } catch (const Error& error) {
        const std::string_view message = error.what();
        if (error.kind() != ErrorKind::usage)
          add("refused, but not as wrong usage: " + std::string(message));
        if (!message.starts_with(extent.name)) {
          add("the message does not name the extent: " + std::string(message));
        }
      }
    }
  }
}

namespace {

template <Real T>
class EmptyExtents final : public PreparedProperty<T> {
 public:
  explicit EmptyExtents(const Cell& cell) : cell_(cell) {}

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    const std::function<void(const Spec&)> callers[] = {
        [&](const Spec& spec) { backend.plan<T>(spec, exec); },
        [&](const Spec& spec) { backend.refusal(spec, dtype_of<T>, exec); },
        [&](const Spec& spec) { backend.workspace_bytes(spec, dtype_of<T>, exec); }};
    for (const auto& accept : callers) check_empty_extents(accept, cell_, result.findings);
  }

 private:
  Cell cell_;
};

template <Real T>
class ExtentSweep final : public PreparedProperty<T> {
 public:
  ExtentSweep(const Fixture& fixture, const std::vector<Shape>& shapes, const PropertySetup& setup)
      : spec_(fixture.stack.layer_spec(0)) {
    for (const Shape& shape : shapes) {
      const auto lengths = fixture.stack.lengths ? tied_lengths(shape) : std::vector<Index>();
      trials_.push_back({shape, Trial<T>(fixture.subject(setup, shape, lengths), setup.seed)});
    }
  }

  void run(const Backend& backend, const Exec& exec, Result& result) const override {
    std::string reason;
    Exec own = exec;
    for (own.threads = 1; own.threads <= most_threads; ++own.threads) {
      if (const auto refused = backend.refusal(spec_, dtype_of<T>, own)) {
        reason = *refused;
        continue;
      }
      result.threads = own.threads;
      for (const auto& [shape, trial] : trials_) {
        // A backend may take some shapes and refuse others (blocks that have to divide).
        try {
          compare_with_reference<T>(
              "extents", to_string(shape) + " with " + std::to_string(own.threads) + " thread(s)",
              trial, run_on<T>(backend, own, *trial.subject, trial.ref.given), result);
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::unavailable) throw;
          reason = error.what();
        }
      }
    }
    if (result.elements == 0) throw Error(ErrorKind::unavailable, reason);
    result.reason = reason;  // of what was left out
  }

 private:
  static constexpr int most_threads = 3;
  struct At {
    Shape shape;
    Trial<T> trial;
  };
  Spec spec_;
  std::vector<At> trials_;
};

}  // namespace

template <Real T>
Prepared<T> prepare_empty_extents(const Cell& cell, const PropertySetup&) {
  return std::make_unique<EmptyExtents<T>>(cell);
}
template <Real T>
Prepared<T> prepare_extents(const Fixture& fixture, const std::vector<Shape>& shapes,
                            const PropertySetup& setup) {
  return std::make_unique<ExtentSweep<T>>(fixture, shapes, setup);
}

#define BPTT_INSTANTIATE(T)                                                       \
  template Prepared<T> prepare_empty_extents(const Cell&, const PropertySetup&);  \
  template Prepared<T> prepare_extents(const Fixture&, const std::vector<Shape>&, \
                                       const PropertySetup&)
BPTT_INSTANTIATE(float);
BPTT_INSTANTIATE(double);
#undef BPTT_INSTANTIATE

}  // namespace bptt::verify

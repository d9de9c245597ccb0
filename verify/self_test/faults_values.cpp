// Faults that only certain values bring out: NaN and Inf among them.
#include "verify/self_test/planted_fault.hpp"
#include "verify/self_test/spoilers.hpp"

namespace bptt::verify {
namespace {

constexpr const char* lstm = "lstm/plain/T50-B3-I5-H17";
constexpr const char* gru = "gru/plain/T7-B3-I5-H4";

constexpr auto one_nan = []<class T>(FaultContext<T>& c) {
  if (!c.backward && c.spec.shape.T > 2) c.out.y(2, 0, 1) = std::numeric_limits<T>::quiet_NaN();
};

constexpr auto one_infinity = []<class T>(FaultContext<T>& c) {
  if (c.backward && c.grads.params.weight_hh) {
    c.grads.params.weight_hh[3] = std::numeric_limits<T>::infinity();
  }
};

/// An element that is not written keeps what was there.
constexpr auto not_written = []<class T>(FaultContext<T>& c) {
  if (c.backward && c.grads.h0) {
    *(c.grads.h0.end() - 1) = std::numeric_limits<T>::quiet_NaN();
  }
};

template <class S>
PlantedFault of(const char* name, S spoil, const char* case_name, const char* tensor,
                const char* time_step) {
  PlantedFault fault{name, "values", case_name, "equality", tensor, time_step};
  fault.in_plans = Fault::make(name, spoil);
  return fault;
}

}  // namespace

std::vector<PlantedFault> value_faults() {
  return {
      of("one NaN in y", one_nan, lstm, "y", "step 2 of 50"),
      of("one Inf in dW_hh", one_infinity, lstm, "grad.weight_hh_l0", "upstream step 0 on"),
      of("last element of dh0 not written", not_written, gru, "grad.h0", "upstream step 0 on"),
  };
}

}  // namespace bptt::verify

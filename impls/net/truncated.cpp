#include "impls/net/truncated.hpp"

#include <algorithm>
#include <charconv>
#include <complex>

namespace bptt::net {
namespace {

template <class T>
void zero(View<T> values) {
  std::fill(values.begin(), values.end(), T{});
}

template <class T>
Tensor<T> of_state(const StackSpec& spec, bool present = true) {
  return present ? Tensor<T>({spec.states(), spec.shape.B, spec.shape.H}) : Tensor<T>();
}

StackSpec checked(const StackSpec& spec, const Truncation& truncation) {
  truncation.validate();
  const auto fail = [](const std::string& expected, const std::string& came) {
    throw Error(ErrorKind::usage, "truncated BPTT: expected " + expected + "; got " + came);
  };
  if (spec.bidirectional) fail("one direction", "two: a reverse direction has no state to carry");
  if (spec.lengths) fail("sequences of one length", "a spec with lengths");
  if (spec.shape.T != truncation.k2) {
    fail("T = k2 = " + std::to_string(truncation.k2), "T = " + std::to_string(spec.shape.T));
  }
  return spec;
}

}  // namespace

void Truncation::validate() const {
  if (k1 >= 1 && k2 >= k1) return;
  throw Error(ErrorKind::usage, "truncated BPTT: expected 1 <= K1 <= K2; got " + to_string(*this));
}

Truncation parse_truncation(const char* what, std::string_view text) {
  const auto number = [&](std::string_view digits) {
    Index value = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, value);
    return error == std::errc() && stop == end ? value : 0;
  };
  const auto comma = text.find(',');
  Truncation truncation;
  truncation.k1 = number(text.substr(0, comma));
  truncation.k2 = comma == std::string_view::npos ? truncation.k1 : number(text.substr(comma + 1));
  if (truncation.k1 < 1 || truncation.k2 < truncation.k1) {
    throw Error(ErrorKind::usage, std::string(what) +
                                      ": expected K1 or K1,K2 with 1 <= K1 <= K2; got '" +
                                      std::string(text) + "'");
  }
  return truncation;
}

std::string to_string(const Truncation& truncation) {
  return std::to_string(truncation.k1) + "," + std::to_string(truncation.k2);
}

Stretch stretch_of(const Truncation& truncation, Index update) {
  const auto [k1, k2] = truncation;
  const Index end = (update + 1) * k1;
  const Index begin = std::max<Index>(0, end - k2);
  return {begin, update * k1 - begin, std::max<Index>(0, end + k1 - k2) - begin};
}

template <Scalar T>
std::optional<StackSpec> TruncatedStack<T>::carrier_spec(const StackSpec& spec,
                                                         const Truncation& truncation) {
  if (truncation.k1 == truncation.k2) return std::nullopt;
  StackSpec carrier = spec;
  carrier.shape.T = truncation.k1;
  // One window ahead of the steady state goes on by less than k1.
  carrier.lengths = truncation.k2 % truncation.k1 != 0;
  return carrier;
}

template <Scalar T>
std::size_t TruncatedStack<T>::buffer_bytes(const StackSpec& spec, const Truncation& truncation) {
  const Shape& s = spec.shape;
  const auto carrier = carrier_spec(spec, truncation);
  const Index outputs = checked_sum({s.T, s.T, carrier ? truncation.k1 : 0}, "steps");
  const Index states = spec.cell.has_cell_state() ? 4 : 2;
  const Index elements =
      checked_sum({checked_product({s.T, s.B, s.I}, "x"), checked_product({outputs, s.B, s.H}, "y"),
                   checked_product({states, spec.states(), s.B, s.H}, "states")},
                  "truncated BPTT");
  const auto bytes = static_cast<std::size_t>(
      checked_product({elements, static_cast<Index>(sizeof(T))}, "truncated BPTT"));
  const bool lengths = carrier && carrier->lengths;
  return bytes + (lengths ? static_cast<std::size_t>(s.B) * sizeof(Index) : 0);
}

template <Scalar T>
TruncatedStack<T>::TruncatedStack(const StackSpec& spec, const Truncation& truncation,
                                  const PlanMaker<T>& maker)
    : spec_(checked(spec, truncation)),
      truncation_(truncation),
      stack_(spec, maker),
      x_({spec.shape.T, spec.shape.B, spec.shape.I}),
      y_({spec.shape.T, spec.shape.B, spec.shape.H}),
      dy_(y_.view().extents()),
      h0_(of_state<T>(spec)),
      c0_(of_state<T>(spec, spec.cell.has_cell_state())),
      hT_(of_state<T>(spec)),
      cT_(of_state<T>(spec, spec.cell.has_cell_state())),
      stretch_(stretch_of(truncation, 0)) {
  const auto carrier = carrier_spec(spec, truncation);
  if (!carrier) return;
  carrier_ = std::make_unique<Stack<T>>(*carrier, maker);
  carried_y_ = Tensor<T>({carrier->shape.T, spec.shape.B, spec.shape.H});
  if (carrier->lengths) lengths_.resize(static_cast<std::size_t>(spec.shape.B));
}

template <Scalar T>
void TruncatedStack<T>::restart() {
  update_ = 0;
  stretch_ = stretch_of(truncation_, 0);
  zero(h0_.view());
  zero(c0_.view());
}

template <Scalar T>
Inputs<const T> TruncatedStack<T>::inputs() const {
  return {x_.view(), h0_.view(), c0_.view(), {}};
}

template <Scalar T>
void TruncatedStack<T>::forward(std::span<const Params<const T>> params) {
  stack_.forward(params, inputs(), {y_.view(), hT_.view(), cT_.view()});
}

template <Scalar T>
View<const T> TruncatedStack<T>::y() const {
  return {y_.view().data() + row_of_losses(), {truncation_.k1, spec_.shape.B, spec_.shape.H}};
}

template <Scalar T>
View<T> TruncatedStack<T>::dy() {
  return {dy_.view().data() + row_of_losses(), {truncation_.k1, spec_.shape.B, spec_.shape.H}};
}

template <Scalar T>
void TruncatedStack<T>::backward(std::span<const Params<const T>> params,
                                 std::span<const Params<T>> grads) {
  const View<T> all = dy_.view(), counted = dy();
  std::fill(all.begin(), counted.begin(), T{});
  std::fill(counted.end(), all.end(), T{});
  stack_.backward(params, inputs(), {all, {}, {}}, {grads, {}, {}, {}});
}

template <Scalar T>
void TruncatedStack<T>::advance(std::span<const Params<const T>> params) {
  if (stretch_.advance > 0) {
    if (carrier_) {
      const Extents steps{truncation_.k1, spec_.shape.B, spec_.shape.I};
      std::fill(lengths_.begin(), lengths_.end(), stretch_.advance);
      carrier_->forward(params,
                        {View<const T>(x_.view().data(), steps), h0_.view(), c0_.view(), lengths_},
                        {carried_y_.view(), hT_.view(), cT_.view()});
    }
    std::copy(hT_.view().begin(), hT_.view().end(), h0_.view().begin());
    std::copy(cT_.view().begin(), cT_.view().end(), c0_.view().begin());
  }
  stretch_ = stretch_of(truncation_, ++update_);
}

template <Scalar T>
std::size_t TruncatedStack<T>::workspace_bytes() const {
  return stack_.workspace_bytes() + (carrier_ ? carrier_->workspace_bytes() : 0) +
         buffer_bytes(spec_, truncation_);
}

template class TruncatedStack<float>;
template class TruncatedStack<double>;
template class TruncatedStack<long double>;
template class TruncatedStack<std::complex<double>>;

}  // namespace bptt::net

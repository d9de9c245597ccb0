// What a case is about: a model that can be built on any backend's plans and in any scalar type,
// and the inputs to judge it with.
#pragma once

#include <complex>
#include <memory>
#include <type_traits>

#include "impls/api/backend.hpp"
#include "verify/values.hpp"

namespace bptt::verify {

class Subject {
 public:
  virtual ~Subject() = default;
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  template <Scalar T>
  std::unique_ptr<net::Model<T>> make(const net::PlanMaker<T>& plans) const {
    return do_make(plans);
  }
  /// Inputs drawn from the seed, representable in the given precision.
  virtual Given draw(std::uint64_t seed, Dtype) const = 0;
  /// Of its recurrent layers.
  const Cell& cell() const { return cell_; }

 protected:
  explicit Subject(const Cell& cell) : cell_(cell) {}

 private:
  virtual std::unique_ptr<net::Model<float>> do_make(const net::PlanMaker<float>&) const = 0;
  virtual std::unique_ptr<net::Model<double>> do_make(const net::PlanMaker<double>&) const = 0;
  virtual std::unique_ptr<net::Model<long double>> do_make(
      const net::PlanMaker<long double>&) const = 0;
  virtual std::unique_ptr<net::Model<std::complex<double>>> do_make(
      const net::PlanMaker<std::complex<double>>&) const = 0;

  Cell cell_;
};

/// A subject whose models come from one generic function `make(PlanMaker<T>) -> unique_ptr<Model>`,
/// and whose inputs come from `draw(const Subject&, seed, Dtype) -> Given`.
template <class Make, class Draw>
class MadeSubject final : public Subject {
 public:
  MadeSubject(const Cell& cell, Make make, Draw draw)
      : Subject(cell), make_(std::move(make)), draw_(std::move(draw)) {}
  Given draw(std::uint64_t seed, Dtype dtype) const override { return draw_(*this, seed, dtype); }

 private:
  std::unique_ptr<net::Model<float>> do_make(const net::PlanMaker<float>& plans) const override {
    return make_(plans);
  }
  std::unique_ptr<net::Model<double>> do_make(const net::PlanMaker<double>& plans) const override {
    return make_(plans);
  }
  std::unique_ptr<net::Model<long double>> do_make(
      const net::PlanMaker<long double>& plans) const override {
    return make_(plans);
  }
  std::unique_ptr<net::Model<std::complex<double>>> do_make(
      const net::PlanMaker<std::complex<double>>& plans) const override {
    return make_(plans);
  }

  Make make_;
  Draw draw_;
};

template <class Make, class Draw>
std::shared_ptr<const Subject> make_subject(const Cell& cell, Make make, Draw draw) {
  return std::make_shared<MadeSubject<Make, Draw>>(cell, std::move(make), std::move(draw));
}

/// Plans of the reference, in any type.
template <Scalar T>
net::PlanMaker<T> naive_plans();

/// Plans of a backend. Where it refuses, Error(unavailable) with its reason alone.
template <Real T>
net::PlanMaker<T> plans_of(const Backend&, const Exec&);

}  // namespace bptt::verify

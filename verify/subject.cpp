#include "verify/subject.hpp"

#include "impls/naive/naive.hpp"

namespace bptt::verify {

template <Scalar T>
net::PlanMaker<T> naive_plans() {
  return [](const Spec& spec) { return naive::make_plan<T>(spec); };
}

template <Real T>
net::PlanMaker<T> plans_of(const Backend& backend, const Exec& exec) {
  return {backend, exec, [&backend](const Spec& spec, const Exec& own) {
            if (const auto reason = backend.refusal(spec, dtype_of<T>, own)) {
              throw Error(ErrorKind::unavailable, *reason);
            }
            return backend.plan<T>(spec, own);
          }};
}

template net::PlanMaker<float> naive_plans();
template net::PlanMaker<double> naive_plans();
template net::PlanMaker<long double> naive_plans();
template net::PlanMaker<std::complex<double>> naive_plans();
template net::PlanMaker<float> plans_of(const Backend&, const Exec&);
template net::PlanMaker<double> plans_of(const Backend&, const Exec&);

}  // namespace bptt::verify

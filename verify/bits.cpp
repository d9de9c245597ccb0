#include "verify/bits.hpp"

#include <algorithm>
#include <cstring>

namespace bptt::verify {

template <Real T>
void compare_bits(const std::vector<Layout>& layouts, const Values<T>& got,
                  const Values<T>& expected, const std::string& check, const std::string& message,
                  std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < got.size(); ++i) {
    const auto [g, e] =
        std::mismatch(got[i].begin(), got[i].end(), expected[i].begin(),
                      [](const T& a, const T& b) { return std::memcmp(&a, &b, sizeof(T)) == 0; });
    if (g == got[i].end()) continue;
    Finding finding;
    finding.check = check;
    finding.place = place_of(layouts[i], g - got[i].begin());
    finding.got = *g;
    finding.expected = *e;
    finding.message = message;
    finding.time_step =
        finding.place.time >= 0 ? "step " + std::to_string(finding.place.time) : "no time axis";
    findings.push_back(std::move(finding));
  }
}

template void compare_bits(const std::vector<Layout>&, const Values<float>&, const Values<float>&,
                           const std::string&, const std::string&, std::vector<Finding>&);
template void compare_bits(const std::vector<Layout>&, const Values<double>&, const Values<double>&,
                           const std::string&, const std::string&, std::vector<Finding>&);

}  // namespace bptt::verify

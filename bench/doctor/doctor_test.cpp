// What the doctor says about machines that are not this one.
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>

#include "bench/doctor/costs.hpp"
#include "bench/doctor/print.hpp"
#include "bench/test_folder.hpp"

namespace bptt::bench {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// A machine with nothing to find.
Facts healthy() {
  Facts facts;
  System& s = facts.system;
  s.cpu_model = "Some Processor";
  s.cores = s.online_processors = s.usable_processors = 4;
  s.governor = "performance";
  s.boost = false;
  s.smt = false;
  s.memory_bytes = 8, s.memory_available = 6;
  s.huge_pages = "madvise";
  s.clock_source = "tsc";
  s.busy_processors = 0.01;
  s.steal = s.steal_since_boot = 0.0;
  s.blas_alternative = "/usr/lib/openblas-pthread/libblas.so.3";
  facts.blas = {"OpenBLAS 0.3.21", "", "SkylakeX", "OpenBLAS", ""};
  facts.build_type = "Release";
  facts.compile_flags = "-O3 -DNDEBUG";
  facts.threads_checked = 4;
  return facts;
}

std::vector<std::string> ids(const std::vector<Finding>& findings) {
  std::vector<std::string> list;
  for (const Finding& f : findings) list.emplace_back(f.id);
  return list;
}

TEST(Doctor, FindsNothingOnAHealthyMachine) {
  EXPECT_THAT(ids(examine(healthy(), {})), IsEmpty());
}

TEST(Doctor, EveryCheckFindsWhatItLooksFor) {
  struct Illness {
    const char* id;
    bool warning;
    void (*infect)(Facts&);
  };
  const Illness illnesses[] = {
      {"blas-kernels", true, [](Facts& f) { f.blas.live = "Haswell", f.blas.better = "SkylakeX"; }},
      {"build", true, [](Facts& f) { f.compile_flags = "-g"; }},
      {"build", true, [](Facts& f) { f.compile_flags = "-O2 -fsanitize=address"; }},
      {"busy", true, [](Facts& f) { f.system.busy_processors = 1.5; }},
      {"steal", true, [](Facts& f) { f.system.steal = 0.1; }},
      {"steal", true, [](Facts& f) { f.system.steal_since_boot = 0.01; }},
      {"quota", true, [](Facts& f) { f.system.processor_quota = 1.5; }},
      {"governor", true, [](Facts& f) { f.system.governor = "powersave"; }},
      {"denormals", true, [](Facts& f) { f.threads_flushing = 1; }},
      {"denormals", true, [](Facts& f) { f.blas_flushes = true; }},
      {"spinning", true, [](Facts& f) { f.variables["OMP_WAIT_POLICY"] = "active"; }},
      {"spinning", true, [](Facts& f) { f.variables["OMP_WAIT_POLICY"] = " Active"; }},
      {"clock", true, [](Facts& f) { f.system.clock_source = "hpet"; }},
      {"memory", true, [](Facts& f) { f.system.memory_available = 0; }},
      {"smt", false, [](Facts& f) { f.system.smt = true, f.system.cores = 2; }},
      {"affinity", false, [](Facts& f) { f.system.usable_processors = 3; }},
      {"boost", false, [](Facts& f) { f.system.boost = true; }},
      {"virtual-machine", false, [](Facts& f) { f.system.virtual_machine = true; }},
      {"huge-pages", false, [](Facts& f) { f.system.huge_pages = "never"; }},
      {"numa", false, [](Facts& f) { f.system.numa_nodes = 2; }},
      {"libblas", false,
       [](Facts& f) { f.system.blas_alternative = "/usr/lib/blas/libblas.so.3"; }},
      {"missing", false,
       [](Facts& f) {
         f.missing = {{"somebody", "install some-dev"}};
       }},
  };
  for (const Illness& illness : illnesses) {
    Facts facts = healthy();
    illness.infect(facts);
    const auto findings = examine(facts, {});
    ASSERT_THAT(ids(findings), ElementsAre(illness.id));
    EXPECT_EQ(has_warning(findings), illness.warning) << illness.id;
    EXPECT_FALSE(findings[0].what.empty() || findings[0].cost.empty() || findings[0].cure.empty());
  }
}

TEST(Doctor, WhatWasMeasuredIsInTheCost) {
  Facts facts = healthy();
  facts.blas.live = "Prescott", facts.blas.better = "SkylakeX",
  facts.blas.how = "OPENBLAS_CORETYPE";
  Costs costs;
  costs.better_kernels = 2.5;
  const auto findings = examine(facts, costs);
  ASSERT_THAT(ids(findings), ElementsAre("blas-kernels"));
  EXPECT_THAT(findings[0].cost, HasSubstr("measured: SkylakeX multiplies matrices 2.50 times"));
  EXPECT_THAT(findings[0].cure, HasSubstr("unset OPENBLAS_CORETYPE"));
  EXPECT_TRUE(has_warning(findings));
  costs.better_kernels = 1.0;  // nothing is lost
  EXPECT_FALSE(has_warning(examine(facts, costs)));
}

TEST(Doctor, ProcessorsThatDoNotAddUpAreToldOnce) {
  Costs costs;
  costs.scaling = 1.2, costs.scaling_threads = 4;
  EXPECT_THAT(ids(examine(healthy(), costs)), ElementsAre("scaling"));
  Facts facts = healthy();
  facts.system.smt = true, facts.system.cores = 2;
  const auto findings = examine(facts, costs);
  ASSERT_THAT(ids(findings), ElementsAre("smt"));
  EXPECT_THAT(findings[0].cost, HasSubstr("4 threads do 1.20 times the arithmetic of one"));
}

TEST(Doctor, ASpeedThatChangesIsNoiseUnlessItsCauseIsKnown) {
  Costs costs;
  costs.median_spread = 1.3, costs.most_spread = 2;
  EXPECT_THAT(ids(examine(healthy(), costs)), ElementsAre("noise"));
  Facts facts = healthy();
  facts.system.busy_processors = 2;
  const auto findings = examine(facts, costs);
  ASSERT_THAT(ids(findings), ElementsAre("busy"));
  EXPECT_THAT(findings[0].cost, HasSubstr("1.30 times"));
}

TEST(Doctor, TheCostOfKernelsIsARatioOfTwoChildren) {
  Facts facts = healthy();
  std::vector<std::string> asked;
  const GemmRate rate = [&](const std::string& type) -> std::optional<double> {
    asked.push_back(type);
    return type == "SkylakeX" ? 30.0 : 20.0;
  };
  EXPECT_EQ(cost_of_kernels(facts, rate), std::nullopt);
  EXPECT_THAT(asked, IsEmpty());
  facts.blas.live = "Haswell", facts.blas.better = "SkylakeX";
  EXPECT_EQ(cost_of_kernels(facts, rate), 1.5);
  EXPECT_THAT(asked, ElementsAre("Haswell", "SkylakeX"));
  EXPECT_EQ(cost_of_kernels(facts, [](auto&) { return std::nullopt; }), std::nullopt);
}

TEST(Doctor, WarningsComeFirst) {
  Facts facts = healthy();
  facts.system.virtual_machine = true;
  facts.system.governor = "powersave";
  EXPECT_THAT(ids(examine(facts, {})), ElementsAre("governor", "virtual-machine"));
}

TEST(Doctor, PrintsIn80Columns) {
  Facts facts = healthy();
  facts.system.governor = "powersave";
  facts.system.virtual_machine = true;
  facts.compile_flags = "-O3 a long line of flags that goes on and on and on and on and on and on";
  facts.missing = {{"somebody",
                    "a reason as long as reasons are: (Debian package some-dev; `./bptt "
                    "deps` installs it)"}};
  std::ostringstream out;
  print_doctor(facts, {}, examine(facts, {}), out);
  EXPECT_THAT(out.str(), HasSubstr("1 warning, 2 notes\n"));
  std::istringstream lines(out.str());
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 80u) << line;
}

/// The files that a Linux system would have, under a folder.
class Root {
 public:
  Root() { std::filesystem::create_directories(path("etc/alternatives")); }
  std::string path(const std::string& file) const { return (folder_ / "") + file; }
  void put(const std::string& file, const std::string& text) const {
    std::filesystem::create_directories(std::filesystem::path(path(file)).parent_path());
    std::ofstream(path(file)) << text;
  }
  System inspected() const { return inspect_system(folder_ / "."); }

 private:
  TestFolder folder_;
};

TEST(SystemFacts, AreReadFromProcAndSys) {
  const Root root;
  root.put("proc/cpuinfo",
           "processor\t: 0\nmodel name\t: Some Processor\nphysical id\t: 0\ncore id\t: 0\n"
           "flags\t\t: fpu hypervisor avx\n\nphysical id\t: 0\ncore id\t: 1\n");
  root.put("proc/meminfo", "MemTotal:       1000 kB\nMemAvailable:    250 kB\n");
  root.put("proc/stat", "cpu  10 0 10 70 0 0 0 10\n");
  root.put("proc/loadavg", "1.50 1.00 0.50 1/2 3\n");
  root.put("proc/self/cgroup", "0::/a/b\n");
  root.put("sys/fs/cgroup/a/cpu.max", "150000 100000\n");
  root.put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
  root.put("sys/fs/cgroup/cpu.stat", "nr_periods 9\nnr_throttled 7\n");
  root.put("sys/devices/system/cpu/online", "0-3\n");
  root.put("sys/devices/system/cpu/smt/active", "1\n");
  root.put("sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "powersave\n");
  root.put("sys/devices/system/cpu/intel_pstate/no_turbo", "0\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index0/level", "2\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index0/type", "Unified\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index0/size", "1024K\n");
  root.put("sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list", "0-1,3\n");
  root.put("sys/devices/system/node/online", "0-1\n");
  root.put("sys/devices/system/clocksource/clocksource0/current_clocksource", "hpet\n");
  root.put("sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]\n");
  std::filesystem::create_symlink("/usr/lib/blas/libblas.so.3",
                                  root.path("etc/alternatives/libblas.so.3-x"));
  const System s = root.inspected();
  EXPECT_EQ(s.cpu_model, "Some Processor");
  EXPECT_TRUE(s.virtual_machine);
  EXPECT_EQ(s.cores, 2);
  EXPECT_EQ(s.online_processors, 4);
  EXPECT_EQ(s.memory_bytes, 1000 * 1024);
  EXPECT_EQ(s.memory_available, 250 * 1024);
  EXPECT_EQ(s.load, 1.5);
  EXPECT_EQ(s.steal_since_boot, 0.1);
  EXPECT_EQ(s.busy_processors, std::nullopt) << "no time passed in that file";
  EXPECT_EQ(s.processor_quota, 1.5) << "of the group around it";
  EXPECT_EQ(s.throttled_periods, 7);
  EXPECT_EQ(s.smt, true);
  EXPECT_EQ(s.governor, "powersave");
  EXPECT_EQ(s.boost, true);
  ASSERT_EQ(s.caches.size(), 1u);
  EXPECT_EQ(s.caches[0].sharers, 3);
  EXPECT_EQ(s.numa_nodes, 2);
  EXPECT_EQ(s.clock_source, "hpet");
  EXPECT_EQ(s.huge_pages, "never");
  EXPECT_EQ(s.blas_alternative, "/usr/lib/blas/libblas.so.3");
}

TEST(SystemFacts, WhatTheSystemDoesNotSayIsEmpty) {
  const System s = Root().inspected();
  EXPECT_EQ(s.processor_quota, std::nullopt);
  EXPECT_EQ(s.smt, std::nullopt);
  EXPECT_EQ(s.boost, std::nullopt);
  EXPECT_EQ(s.steal, std::nullopt);
  EXPECT_TRUE(s.caches.empty() && s.governor.empty() && s.huge_pages.empty());
  EXPECT_EQ(s.numa_nodes, 1);
}

TEST(SystemFacts, TheFirstVersionOfControlGroups) {
  const Root root;
  root.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "50000\n");
  root.put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
  EXPECT_EQ(root.inspected().processor_quota, 0.5);
  root.put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "-1\n");
  EXPECT_EQ(root.inspected().processor_quota, std::nullopt);
}

}  // namespace
}  // namespace bptt::bench

#include "bench/table.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace bptt::bench {
namespace {

TEST(Table, AlignsItsColumns) {
  Table table({{"name"}, {"size", Table::Align::right}, {""}});
  table.add({"a", "1", ""});
  table.add({"longer", "12345", "note"});
  std::ostringstream out;
  table.print(out, "> ");
  EXPECT_EQ(out.str(),
            "> name     size\n"
            "> a           1\n"
            "> longer  12345  note\n");
}

TEST(Table, Durations) {
  EXPECT_EQ(duration_text(0), "0.00 ns");
  EXPECT_EQ(duration_text(1.234e-6), "1.23 us");
  EXPECT_EQ(duration_text(0.04567), "45.7 ms");
  EXPECT_EQ(duration_text(0.99999), "1.00 s");
  EXPECT_EQ(duration_text(123.4), "123 s");
  EXPECT_EQ(duration_text(5400), "1.50 h");
}

TEST(Table, Numbers) {
  EXPECT_EQ(number_text(9.999), "10.0");
  EXPECT_EQ(number_text(99.96), "100");
  EXPECT_EQ(number_text(12345), "12345");
  EXPECT_EQ(percent_text(0.0123), "1.2%");
  EXPECT_EQ(percent_text(0.876), "88%");
}

}  // namespace
}  // namespace bptt::bench

// Every verdict of the audit, by number; and that the audit would notice.
#include "verify/textbook/audit.hpp"

#include <limits>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "impls/program/exit_code.hpp"
#include "verify/textbook/print.hpp"

namespace bptt::verify::textbook {
namespace {

const std::vector<Row>& rows() {
  static const std::vector<Row> all = audit();
  return all;
}

TEST(Audit, RightFormulasAreRightToRounding) {
  int right = 0;
  for (const Row& row : rows()) {
    ASSERT_EQ(row.errors.size(), std::size(lengths)) << row.name();
    for (std::size_t i = 0; i < row.errors.size(); ++i) {
      if (lengths[i] > row.claim.expected.steps || !row.errors[i]) continue;
      EXPECT_LE(*row.errors[i], rounding) << row.name() << ", T = " << lengths[i];
      ++right;
    }
  }
  EXPECT_GT(right, 250);
}

TEST(Audit, WrongFormulasAreWrongByMoreThanStated) {
  int wrong = 0;
  for (const Row& row : rows()) {
    EXPECT_GE(row.claim.wrong_by, 0.005) << row.name();
    for (std::size_t i = 0; i < row.errors.size(); ++i) {
      if (lengths[i] <= row.claim.expected.steps) continue;
      ASSERT_TRUE(row.errors[i]) << row.name() << ", T = " << lengths[i] << ": nothing to compare";
      EXPECT_GT(*row.errors[i], row.claim.wrong_by) << row.name() << ", T = " << lengths[i];
      ++wrong;
    }
  }
  EXPECT_GT(wrong, 150);
}

TEST(Audit, EveryVerdictIsAsStated) {
  for (const Row& row : rows()) {
    const auto verdict = row.verdict();
    ASSERT_TRUE(verdict) << row.name();
    EXPECT_EQ(to_string(*verdict), to_string(row.claim.expected)) << row.name();
    EXPECT_TRUE(is_as_stated(row)) << row.name();
  }
}

/// The formulas that are known to be wrong, said a second time: changing a document's file to what
/// came out is noticed here.
TEST(Audit, TheCautionsHaveTheseVerdicts) {
  const std::map<std::string, int> wrong_beyond = {
      {"B output: dE/dq, g2 sigmoid", 0},
      {"B RNN: da(t)/da(k) as a Jacobian", 0},
      {"B LSTM: dc(t)/da(t), as a derivative along a curve", 0},
      {"B LSTM: dE/da(t)", 2},
      {"B LSTM: dE/dc(t)", 2},
      {"C feed-forward, cross-entropy: C", 0},
      {"C feed-forward, cross-entropy: delta^l", 0},
      {"D output: dE/dq, softmax", 0},
      {"D LSTM: a(t), taken for the usual LSTM", 0},
      {"E output layer: dV", 1},
  };
  const auto expected = [&](const Row& row) {
    const std::string name = row.name();
    if (const auto found = wrong_beyond.find(name); found != wrong_beyond.end()) {
      return found->second;
    }
    const std::string& quantity = row.claim.quantity;
    const bool needs_dh_only = quantity == "dL(t)/dh(t)" || quantity == "dW_o";
    const auto starts = [&](const char* text) { return name.starts_with(text); };
    if (starts("B LSTM: dW_") || starts("B LSTM: dU_")) return 2;
    if (starts("B GRU as printed, with W_c r")) return 1;
    if (starts("B GRU with diag(r) W_c^T")) return 2;
    if (starts("E LSTM h = s*o, dL(t+1)/ds(t+1) without f(t+1)")) return needs_dh_only ? 2 : 1;
    if (starts("E LSTM h = o*tanh(s)")) return quantity == "dL(t)/dh(t)" ? 1 : 0;
    return ExactUpTo::all;
  };
  for (const Row& row : rows()) {
    ASSERT_TRUE(row.verdict()) << row.name();
    EXPECT_EQ(row.verdict()->steps, expected(row)) << row.name();
  }
}

TEST(Audit, TwoWaysToTheTruthAgree) {
  int checked = 0;
  for (const Row& row : rows()) {
    if (!row.oracle_gap) continue;
    EXPECT_LE(*row.oracle_gap, 1e-14) << row.name();
    ++checked;
  }
  EXPECT_GT(checked, 40);
}

TEST(Audit, FeedForwardWeightsAreThoseOfTheSuitesNetwork) {
  int compared = 0;
  for (const Row& row : rows()) {
    if (!row.name().starts_with("C feed-forward, C = 1/2 (y-t)^2: dC/d")) continue;
    EXPECT_TRUE(row.oracle_gap) << row.name();
    ++compared;
  }
  EXPECT_EQ(compared, 2);
}

TEST(Audit, NoRowComparesNothingWithNothing) {
  // In one step there is no a(t-1) without a(0); and what does not depend on a(t) is zero.
  const std::set<std::string> may = {"C SISO: dW", "C SIMO: dW", "C MIMO: dW",
                                     "B LSTM: dc(t)/da(t), a's part in the graph"};
  for (const Row& row : rows()) {
    if (may.count(row.name()) != 0) {
      EXPECT_FALSE(row.errors.front()) << row.name();
      continue;
    }
    for (const auto& error : row.errors) EXPECT_TRUE(error) << row.name();
  }
}

TEST(Audit, EveryDocumentHasRowsAndEveryRowANameOfItsOwn) {
  std::set<std::string> names;
  std::map<char, int> of_document;
  for (const Row& row : rows()) {
    EXPECT_TRUE(names.insert(row.name()).second) << row.name();
    ++of_document[row.document];
    EXPECT_EQ(row.claim.right.empty(), row.claim.expected == ExactUpTo{})
        << row.name() << ": the right formula stands beside wrong ones, and only there";
  }
  for (const Document& document : documents()) EXPECT_GT(of_document[document.letter], 0);
}

// ---- That it would notice ----

Real column(double first, double second) {
  Real result(2, 1);
  result(0, 0) = first, result(1, 0) = second;
  return result;
}

Row judged(ExactUpTo expected, const std::function<Samples(int)>& samples) {
  return judge('X', "example", {"q", "p", "", expected}, samples);
}

TEST(Judge, FindsUpToWhichLengthAFormulaHolds) {
  for (const int last_exact : {0, 1, 2, 3, 5}) {
    const Row row = judged({last_exact}, [&](int T) -> Samples {
      return {{column(1, T <= last_exact ? 2 : 2.1), column(1, 2)}};
    });
    ASSERT_TRUE(row.verdict());
    EXPECT_EQ(row.verdict()->steps, last_exact);
    EXPECT_TRUE(is_as_stated(row));
    EXPECT_FALSE(is_as_stated(judged({7}, [&](int) -> Samples {
      return {{column(1, 2.1), column(1, 2)}};
    })));
  }
}

TEST(Judge, ASmallErrorIsNeitherRoundingNorAsStated) {
  const Row row = judged({ExactUpTo::none}, [](int) -> Samples {
    return {{column(1, 2.00001), column(1, 2)}};
  });
  EXPECT_EQ(row.verdict(), ExactUpTo{ExactUpTo::none});
  EXPECT_FALSE(is_as_stated(row)) << "it is to be wrong by more than the stated amount";
}

TEST(Judge, ExactAgainAfterBeingWrongIsNoVerdict) {
  const Row row = judged({}, [](int T) -> Samples {
    return {{column(1, T == 3 ? 2.1 : 2), column(1, 2)}};
  });
  EXPECT_FALSE(row.verdict());
  EXPECT_FALSE(is_as_stated(row));
}

TEST(Judge, NotANumberIsWrongWhateverComesAfter) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Row row = judged({}, [&](int) -> Samples {
    return {{column(1, nan), column(1, 2)}, {column(1, 2.1), column(1, 2)}};
  });
  EXPECT_EQ(row.verdict(), ExactUpTo{ExactUpTo::none});
  EXPECT_TRUE(std::isnan(*row.errors.front()));
}

TEST(Judge, OraclesThatDisagreeAreNoTruth) {
  const Row row = judged({}, [](int) -> Samples {
    return {{column(1, 2), column(1, 2), column(1, 2.001)}};
  });
  EXPECT_EQ(row.verdict(), ExactUpTo{});
  EXPECT_FALSE(is_as_stated(row));
}

TEST(Judge, ErrorsReadAsShares) {
  EXPECT_EQ(error_text(std::nullopt), "-");
  EXPECT_EQ(error_text(1e-15), "0");
  EXPECT_EQ(error_text(0.0066), "0.66%");
  EXPECT_EQ(error_text(0.16), "16%");
  EXPECT_EQ(error_text(0.999), "100%");
  EXPECT_EQ(error_text(1.24), "120%");
  EXPECT_EQ(error_text(12.0), "12x");
}

}  // namespace
}  // namespace bptt::verify::textbook

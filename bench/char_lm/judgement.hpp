// What became of the trainings of a case: whose curve is not the reference's, whose loss did not
// fall, and the table that tells.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>
#include <vector>

#include "bench/char_lm/student.hpp"

namespace bptt::bench {

struct JudgeOptions {
  bool interrupted = false;  ///< training ended early: what has not fallen yet might have
  bool loaded = false;       ///< it began where another had ended: it need not fall further
};

/// The worst of a case's trainings. Inconclusive: a training that diverged, or whose loss did not
/// fall enough, though nothing says that the backend computed it wrongly.
enum class Judgement { sound, inconclusive, wrong };

/// Writes into each student's complaint what its training failed, and into the verdict where the
/// backend is wrong. `bound` is absent where curves are not compared.
Judgement judge(std::vector<Student>&, const std::optional<CurveBound>& bound, const JudgeOptions&);

/// Why a comparison ends before the training does; "" where it does not.
std::string chaos_of(const CurveBound&);

/// One line for each student that made a step. `characters` are those of a step.
void print_students(const std::vector<Student>&, const std::optional<CurveBound>& bound,
                    Index characters, std::ostream& out);

}  // namespace bptt::bench

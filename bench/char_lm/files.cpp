#include "bench/char_lm/files.hpp"

#include <algorithm>
#include <filesystem>
#include <ostream>

#include "bench/char_lm/char_lm.hpp"
#include "bench/char_lm/language_model.hpp"
#include "bench/char_lm/terminal_text.hpp"

namespace bptt::bench {
namespace {

std::vector<Index> prime_of(const std::string& asked, const Corpus& corpus) {
  if (!asked.empty()) return corpus.characters_of("--prime", asked);
  // A line begins after a line's end; a text of one line begins with its first character.
  const auto alphabet = corpus.alphabet();
  const bool has_lines = std::find(alphabet.begin(), alphabet.end(), '\n') != alphabet.end();
  return has_lines ? corpus.characters_of("--prime", "\n")
                   : std::vector<Index>{corpus.characters().front()};
}

std::unique_ptr<io::AtomicFile> file_of(const std::string& path) {
  return path.empty() ? nullptr : std::make_unique<io::AtomicFile>(path);
}

void write(io::AtomicFile& file, const io::SafetensorsWriter& contents, const char* what,
           std::ostream& out) {
  file.commit(contents.bytes());
  out << "  " << what << ": " << file.path() << '\n';
}

/// Indented, so that it cannot be taken for anything else.
void print_text(const std::string& text, std::ostream& out) {
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    out << "  | " << text.substr(begin, end - begin) << '\n';
    begin = end + 1;
  }
}

}  // namespace

CharLmFiles::CharLmFiles(const Settings& settings, const Corpus& corpus)
    : options_(settings.training),
      corpus_(corpus),
      seed_(settings.seed),
      prime_(prime_of(options_.prime, corpus)) {
  if (!options_.load_weights.empty()) {
    loaded_ = io::Safetensors::read(options_.load_weights);
    for (const Case& c : char_lm_cases(settings, corpus)) check_weights(*loaded_, c.spec, corpus);
  }
  weights_ = file_of(options_.save_weights);
  logits_ = file_of(options_.dump_logits);
}

void CharLmFiles::begin(Trainer& trainer) const {
  if (loaded_) trainer.load_weights(*loaded_);
}

std::string CharLmFiles::kept() const {
  std::string text;
  for (const auto* file : {weights_.get(), logits_.get()}) {
    if (file == nullptr || !std::filesystem::exists(file->path())) continue;
    text += ", " + file->path() + " stays as it was";
  }
  return text;
}

void CharLmFiles::leave(Trainer& trainer, std::string_view backend, std::ostream& out) {
  if (!wanted()) return;
  out << "the model of " << backend << '\n';
  if (weights_) write(*weights_, trainer.weights(), "weights", out);
  if (logits_) write(*logits_, trainer.logits(), "logits", out);
  if (options_.sample > 0) {
    out << "  " << options_.sample << " characters that it makes up, temperature "
        << options_.temperature << ", seed " << seed_ << ":\n";
    const auto said = trainer.sample(prime_, options_.sample, options_.temperature, seed_);
    print_text(terminal_text(options_.prime + corpus_.text_of(said)), out);
  }
  out << std::endl;
}

}  // namespace bptt::bench

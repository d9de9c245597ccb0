#include "bench/char_lm/options.hpp"

namespace bptt::bench {
namespace po = boost::program_options;

double default_learning_rate(const net::OptimizerOptions& optimizer, CellKind kind) {
  const bool rnn = kind == CellKind::rnn;
  if (optimizer.kind == net::OptimizerKind::adam) return rnn ? 0.002 : 0.01;
  // With momentum m, steps add up to 1/(1-m) times the rate.
  return (rnn ? 0.3 : 2) * (1 - optimizer.momentum);
}

std::vector<const po::options_description*> add_training_flags(program::CommandLine& line) {
  const auto text = [](const char* name) { return po::value<std::string>()->value_name(name); };
  auto& training = line.group("Character-level language model: training");
  training.add_options()("text", text("FILE")->default_value("/usr/share/common-licenses/GPL-3"),
                         "the text to learn")(
      "steps", po::value<long long>()->value_name("N")->default_value(200),
      "updates; 0 only uses what --load-weights brings")(
      "optimizer", text("NAME")->default_value("adam:epsilon=1e-5"),
      "sgd, sgd:momentum=0.9, adam, adam:beta1=0.9:beta2=0.999:epsilon=1e-8")(
      "learning-rate", po::value<double>()->value_name("R"),
      "default: adam 0.01, rnn 0.002; sgd 2, rnn 0.3, times 1-momentum")(
      "clip-norm", po::value<double>()->value_name("R")->default_value(1, "1"),
      "largest global norm of the gradients")(
      "init", text("NAME")->default_value("uniform"),
      "uniform, xavier, orthogonal, identity: how weights begin")(
      "forget-bias", po::value<double>()->value_name("X"),
      "lstm: bias of the forget gate at the beginning")(
      "truncate", text("K1[,K2]"),
      "truncated BPTT: every K1 steps, back through the last K2 (default both --seq-len)")(
      "compare-curves", text("on|off")->default_value("on"),
      "check each backend's losses against the reference's, which trains along twice");
  auto& trained = line.group("Character-level language model: the trained model");
  trained.add_options()("sample", po::value<long long>()->value_name("N")->default_value(0),
                        "print N characters of text that it makes up")(
      "temperature", po::value<double>()->value_name("X")->default_value(0.8, "0.8"),
      "of the sample: 1 as the model has it, less is safer, 0 always the likeliest")(
      "prime", text("TEXT"), "what the sample continues (default: the begin of a line)")(
      "load-weights", text("FILE"), "begin with the parameters of a safetensors file")(
      "save-weights", text("FILE"),
      "write its parameters to a safetensors file, under PyTorch's names")(
      "dump-logits", text("FILE"),
      "write the logits of the text's first window to a safetensors file");
  return {&training, &trained};
}

std::vector<std::string> training_flags() {
  program::CommandLine line("", "", "");
  std::vector<std::string> names;
  for (const auto* group : add_training_flags(line)) {
    for (const auto& flag : group->options()) names.push_back(flag->long_name());
  }
  return names;
}

TrainingOptions training_of(const FlagValues& values) {
  TrainingOptions o;
  o.text = text_of(values, "text");
  o.steps = count_of(values, "steps", 0, 10000000);
  if (values.count("learning-rate") != 0) o.learning_rate = number_of(values, "learning-rate");
  o.clip_norm = number_of(values, "clip-norm");
  const auto named = [&](const char* flag, auto parse) {
    try {
      return parse(text_of(values, flag));
    } catch (const Error& error) {
      throw Error(ErrorKind::usage, std::string("--") + flag + ": " + error.what());
    }
  };
  o.optimizer = named("optimizer", net::parse_optimizer);
  o.init = named("init", net::parse_init);
  if (values.count("forget-bias") != 0) {
    o.forget_bias = values["forget-bias"].as<double>();
    if (!std::isfinite(*o.forget_bias)) {
      refuse_flag("forget-bias", "a finite number", std::to_string(*o.forget_bias));
    }
  }
  if (values.count("truncate") != 0) {
    if (values.count("seq-len") != 0 || values.count("shape") != 0) {
      refuse_flag("truncate", "it without --seq-len and --shape: K2 is the sequence length",
                  "both");
    }
    o.truncation = net::parse_truncation("--truncate", text_of(values, "truncate"));
  }
  o.compare_curves = is_on(values, "compare-curves");
  o.sample = count_of(values, "sample", 0, 10000000);
  o.temperature = number_of(values, "temperature", Least::zero);
  o.prime = text_or_none(values, "prime");
  o.load_weights = text_or_none(values, "load-weights");
  o.save_weights = text_or_none(values, "save-weights");
  o.dump_logits = text_or_none(values, "dump-logits");
  if (o.steps == 0 && o.load_weights.empty()) {
    refuse_flag("steps", "at least 1 where there is no --load-weights", "0");
  }
  return o;
}

}  // namespace bptt::bench

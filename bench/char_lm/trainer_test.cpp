// A training step by step: what truncation does to it, what goes through files, what it says.
#include "bench/char_lm/trainer.hpp"

#include <cmath>
#include <cstring>

#include <gmock/gmock.h>

#include "bench/char_lm/language_model.hpp"
#include "bench/char_lm/sampling.hpp"
#include "impls/api/registry.hpp"

namespace bptt::bench {
namespace {

using ::testing::HasSubstr;

std::string rhyme() {
  std::string text;
  for (int i = 0; i < 20; ++i) text += "round the ragged rock the ragged rascal ran. ";
  return text;
}

struct Lesson {
  Lesson() {
    c.spec = {parse_cell("lstm"), {8, 4, corpus.alphabet_size(), 12}, 2, false, false};
    c.dtype = Dtype::f64;
    options.clip_norm = 1;
    options.optimizer = net::parse_optimizer("adam");
  }
  std::unique_ptr<Trainer> trainer(std::uint64_t seed = 1) const {
    return Trainer::make(*backends().front(), c, corpus, options, seed);
  }
  Corpus corpus{rhyme(), "rhyme"};
  Case c;
  TrainingOptions options;
};

std::vector<double> losses(Trainer& trainer, int steps) {
  std::vector<double> curve;
  for (int step = 0; step < steps; ++step) {
    trainer.load();
    curve.push_back(trainer.step());
  }
  return curve;
}

TEST(Trainer, EveryOptimizerAndInitialisationLearns) {
  Lesson lesson;
  for (const char* optimizer : {"sgd", "sgd:momentum=0.9", "adam"}) {
    for (const char* init : {"uniform", "xavier", "orthogonal"}) {
      lesson.options.optimizer = net::parse_optimizer(optimizer);
      lesson.options.init = net::parse_init(init);
      const auto curve = losses(*lesson.trainer(), 150);
      EXPECT_LT(curve.back(), 0.8 * curve.front()) << optimizer << " " << init;
    }
  }
}

TEST(Trainer, TheFirstLossIsThatOfGuessing) {
  Lesson lesson;
  const double guessing = std::log(static_cast<double>(lesson.corpus.alphabet_size()));
  EXPECT_NEAR(losses(*lesson.trainer(), 1).front(), guessing, 0.1);
}

TEST(Trainer, TruncationChangesWhatIsLearnedNotWhatIsRead) {
  Lesson lesson;
  lesson.options.learning_rate = 1e-12;
  // Parameters stand still, so losses are those of the same characters in the same states: two
  // updates of 4 are one of 8.
  const auto whole = losses(*lesson.trainer(), 3);
  for (const net::Truncation& truncation : {net::Truncation{4, 4}, net::Truncation{4, 8}}) {
    lesson.options.truncation = truncation;
    lesson.c.spec.shape.T = truncation.k2;
    const auto halves = losses(*lesson.trainer(), 6);
    for (std::size_t k = 0; k < whole.size(); ++k) {
      EXPECT_NEAR(whole[k], (halves[2 * k] + halves[2 * k + 1]) / 2, 1e-9);
    }
  }
}

TEST(Trainer, TheTextBeginsAnewAfterItsEnd) {
  Lesson lesson;
  lesson.options.learning_rate = 1e-12;
  const auto count = Windows(lesson.corpus, {8, 8}, 4).count();
  const auto curve = losses(*lesson.trainer(), static_cast<int>(count) + 2);
  EXPECT_NEAR(curve[0], curve[static_cast<std::size_t>(count)], 1e-9);
  EXPECT_NEAR(curve[1], curve[static_cast<std::size_t>(count) + 1], 1e-9);
  EXPECT_GT(std::abs(curve[0] - curve[1]), 1e-6);
}

io::Safetensors parsed(const io::SafetensorsWriter& writer) {
  return io::Safetensors::parse("w.safetensors", writer.bytes());
}

TEST(Trainer, WeightsGoThroughAFileUnchanged) {
  Lesson lesson;
  const auto taught = lesson.trainer();
  losses(*taught, 5);
  const auto file = parsed(taught->weights());
  for (const char* name : {"weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0",
                           "weight_ih_l1", "weight_hh_l1", "head.weight", "head.bias"}) {
    EXPECT_TRUE(file.contains(name)) << name;
  }
  EXPECT_THAT(file.metadata().at("bptt"), HasSubstr(R"("spelled":"lstm")"));
  const auto other = lesson.trainer(2);
  other->load_weights(file);
  EXPECT_EQ(parsed(other->weights()).reals("weight_hh_l1"), file.reals("weight_hh_l1"));
  EXPECT_EQ(parsed(other->logits()).reals("logits"), parsed(taught->logits()).reals("logits"));
}

TEST(Trainer, LogitsAreThoseOfTheFirstWindowFromZero) {
  Lesson lesson;
  const auto trainer = lesson.trainer();
  const auto before = parsed(trainer->logits());
  EXPECT_EQ(before.tensor("logits").shape,
            (std::vector<Index>{8, 4, lesson.corpus.alphabet_size()}));
  EXPECT_EQ(before.tensor("characters").shape, (std::vector<Index>{8, 4}));
  EXPECT_EQ(before.integers("characters")[0], lesson.corpus.characters()[0]);
  // Its loss by them is the loss of the first step.
  const auto logits = before.reals("logits");
  const auto alphabet = static_cast<std::size_t>(lesson.corpus.alphabet_size());
  const Index stream = (static_cast<Index>(lesson.corpus.characters().size()) - 1) / 4;
  double loss = 0;
  for (Index t = 0; t < 8; ++t) {
    for (Index b = 0; b < 4; ++b) {
      const double* row = logits.data() + static_cast<std::size_t>(t * 4 + b) * alphabet;
      double sum = 0;
      for (std::size_t o = 0; o < alphabet; ++o) sum += std::exp(row[o]);
      loss += std::log(sum) -
              row[lesson.corpus.characters()[static_cast<std::size_t>(b * stream + t + 1)]];
    }
  }
  EXPECT_NEAR(losses(*trainer, 1).front(), loss / 32, 1e-12);
}

TEST(Trainer, WeightsOfAnotherModelAreRefused) {
  Lesson lesson;
  const auto file = parsed(lesson.trainer()->weights());
  const auto complaint = [&](auto&& change) -> std::string {
    Lesson other;
    change(other);
    try {
      other.trainer()->load_weights(file);
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::data);
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return "accepted";
  };
  EXPECT_EQ(complaint([](Lesson&) {}), "accepted");
  EXPECT_EQ(complaint([](Lesson& other) { other.c.dtype = Dtype::f32; }), "accepted");
  EXPECT_EQ(complaint([](Lesson& other) { other.c.spec.shape.T = 3; }), "accepted");
  EXPECT_EQ(complaint([](Lesson& other) { other.c.spec.layers = 1; }),
            "w.safetensors: metadata 'bptt': layers: expected 1; got 2");
  EXPECT_EQ(complaint([](Lesson& other) { other.c.spec.shape.H = 13; }),
            "w.safetensors: metadata 'bptt': H: expected 13; got 12");
  EXPECT_EQ(complaint([](Lesson& other) { other.c.spec.cell = parse_cell("lstm:coupled"); }),
            R"(w.safetensors: metadata 'bptt': spelled: expected "lstm:coupled"; got "lstm")");
  EXPECT_THAT(complaint([](Lesson& other) {
                std::string text = rhyme();
                std::replace(text.begin(), text.end(), '.', '!');
                other.corpus = Corpus(text, "another");
              }),
              HasSubstr("alphabet: expected the 16 byte values of another"));
}

TEST(Trainer, AFileWithoutMetadataIsJudgedByNamesAndExtents) {
  Lesson lesson;
  const auto trainer = lesson.trainer();
  const auto bytes = trainer->weights().bytes();
  const auto file = parsed(trainer->weights());
  io::SafetensorsWriter bare;
  for (const auto& [name, tensor] : file.tensors()) bare.add(name, tensor.shape, file.reals(name));
  EXPECT_NO_THROW(trainer->load_weights(parsed(bare)));
  // Deep enough to exhaust the stack of whoever descends into it.
  const std::string deep = std::string(200000, '[') + std::string(200000, ']');
  for (const std::string& text : {std::string(), std::string("[]"), std::string("{"),
                                  std::string("{\"H\":12}"), "{\"spelled\":" + deep + "}"}) {
    bare.add_metadata("bptt", text);
    EXPECT_THROW(trainer->load_weights(parsed(bare)), Error) << text.substr(0, 50);
  }
}

TEST(Sampling, FollowsTheSeed) {
  Lesson lesson;
  const auto trainer = lesson.trainer();
  const std::vector<Index> prime = {0};
  const auto said = trainer->sample(prime, 50, 1, 7);
  EXPECT_EQ(said.size(), 50u);
  EXPECT_EQ(said, trainer->sample(prime, 50, 1, 7));
  EXPECT_NE(said, trainer->sample(prime, 50, 1, 8));
  for (const Index character : said) {
    EXPECT_GE(character, 0);
    EXPECT_LT(character, lesson.corpus.alphabet_size());
  }
}

TEST(Sampling, RepeatsWhatWasLearned) {
  Lesson lesson;
  lesson.c.spec.shape = {16, 4, lesson.corpus.alphabet_size(), 24};
  const auto trainer = lesson.trainer();
  losses(*trainer, 250);
  const auto prime = lesson.corpus.characters_of("--prime", "round the ");
  const auto said = trainer->sample(prime, 8, 0, 1);
  EXPECT_EQ(lesson.corpus.text_of(said), "ragged r");
}

TEST(Sampling, DrawsByProbabilityAndTemperature) {
  const std::vector<double> logits = {std::log(1.), std::log(2.), std::log(5.)};
  const View<const double> view(logits.data(), {3});
  const auto shares = [&](double temperature) {
    net::Random random(3);
    std::vector<double> counts(3);
    for (int i = 0; i < 20000; ++i) {
      counts[static_cast<std::size_t>(draw(view, temperature, random))] += 1. / 20000;
    }
    return counts;
  };
  const auto plain = shares(1), cold = shares(0.5), frozen = shares(0);
  const double error = 5 * std::sqrt(0.25 / 20000);
  EXPECT_NEAR(plain[0], 1 / 8., error);
  EXPECT_NEAR(plain[1], 2 / 8., error);
  EXPECT_NEAR(cold[0], 1 / 30., error);
  EXPECT_NEAR(cold[1], 4 / 30., error);
  EXPECT_EQ(frozen[2], 1 + (frozen[2] - 1));
  EXPECT_EQ(frozen[0] + frozen[1], 0);
}

TEST(Trainer, MemoryIsThatOfAllItsParts) {
  Lesson lesson;
  const Backend& backend = *backends().front();
  const auto plain = trainer_bytes(backend, lesson.c, lesson.options);
  EXPECT_GT(plain, workspace_bytes(backend, lesson.c));
  lesson.options.optimizer = net::parse_optimizer("sgd");
  const auto parameters = LanguageModel<double>::parameters(lesson.c.spec);
  EXPECT_EQ(plain - trainer_bytes(backend, lesson.c, lesson.options),
            2 * sizeof(double) * static_cast<std::size_t>(parameters));
}

TEST(Trainer, CarryingTheStateIsMemoryAndWorkToo) {
  Lesson lesson;
  const Backend& backend = *backends().front();
  const auto alphabet = static_cast<std::size_t>(lesson.corpus.alphabet_size());
  const auto bytes = trainer_bytes(backend, lesson.c, lesson.options);
  const double flops = trainer_flops(lesson.c, lesson.options);
  lesson.options.truncation = net::Truncation{4, 8};
  Case carrier = lesson.c;
  carrier.spec.shape.T = 4;
  // Logits and their gradients are of 4 steps instead of 8, for 4 sequences; the carrier has a y.
  const std::size_t y = 4 * 4 * 12;
  EXPECT_EQ(
      trainer_bytes(backend, lesson.c, lesson.options),
      bytes + workspace_bytes(backend, carrier) + (y - 2 * 4 * 4 * alphabet) * sizeof(double));
  const double head = 3 * 2. * 4 * 4 * static_cast<double>(alphabet) * 12;
  EXPECT_EQ(trainer_flops(lesson.c, lesson.options),
            flops - head + flops_of(Phase::forward, carrier.spec));
}

}  // namespace
}  // namespace bptt::bench

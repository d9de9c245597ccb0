#include "bench/char_lm/language_model.hpp"

#include <nlohmann/json.hpp>

#include "impls/api/memory.hpp"
#include "impls/net/stack.hpp"
#include "impls/net/weights.hpp"

namespace bptt::bench {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* metadata_key = "bptt";

/// In the words of golden files (docs/formats.md), and the alphabet beside them.
Json description_of(const StackSpec& spec, const Corpus& corpus) {
  Json head;
  head["O"] = spec.shape.I;
  head["loss"] = "softmax_cross_entropy";
  head["steps"] = "all";
  Json json;
  const std::string spelled = to_string(spec.cell);
  json["cell"] = spelled.substr(0, spelled.find(':'));
  json["spelled"] = spelled;
  json["I"] = spec.shape.I;
  json["H"] = spec.shape.H;
  json["layers"] = spec.layers;
  json["bidirectional"] = spec.bidirectional;
  json["bias"] = spec.cell.bias;
  json["head"] = head;
  json["alphabet"] = corpus.alphabet();
  return json;
}

/// A value of a hostile file, for a message: short, and never deep enough to hurt.
std::string text_of(const Json& value) {
  if (value.is_structured()) return std::string("another ") + value.type_name();
  return value.dump(-1, ' ', true, Json::error_handler_t::replace).substr(0, 100);
}

void check_description(const io::Safetensors& file, const StackSpec& spec, const Corpus& corpus) {
  const auto found = file.metadata().find(metadata_key);
  if (found == file.metadata().end()) return;
  const auto fail = [&](const std::string& message) {
    throw Error(ErrorKind::data, file.path() + ": metadata '" + metadata_key + "': " + message);
  };
  const Json stored = Json::parse(found->second, nullptr, false);
  if (!stored.is_object()) fail("expected a JSON object");
  // "cell" and "bias" are in "spelled".
  const Json expected = description_of(spec, corpus);
  for (const char* key : {"spelled", "layers", "bidirectional", "I", "H", "head"}) {
    const auto value = stored.find(key);
    if (value == stored.end()) fail(std::string("expected a key '") + key + "'; there is none");
    if (*value != expected[key]) {
      fail(std::string(key) + ": expected " + expected[key].dump() + "; got " + text_of(*value));
    }
  }
  const auto alphabet = stored.find("alphabet");
  if (alphabet == stored.end() || *alphabet != expected["alphabet"]) {
    fail("alphabet: expected the " + std::to_string(corpus.alphabet_size()) + " byte values of " +
         corpus.name() + "; the model is of another text");
  }
}

/// Before there is a model: one that the flags ask for may be far larger than the file's.
void check_extents(const io::Safetensors& file, const StackSpec& spec) {
  const auto check = [&](const std::string& name, const Extents& extents) {
    std::vector<Index> expected;
    for (int axis = 0; axis < extents.rank(); ++axis) expected.push_back(extents[axis]);
    const auto& stored = file.tensor(name).shape;
    if (stored == expected) return;
    throw Error(ErrorKind::data, file.path() + ": tensor '" + name + "': expected extents " +
                                     io::shape_text(expected) + "; got " + io::shape_text(stored));
  };
  const std::vector<Params<float>> none(static_cast<std::size_t>(spec.states()));
  net::for_each_parameter(spec, none,
                          [&](const std::string& name, const TensorInfo& info, const auto&) {
                            check(name, info.extents);
                          });
  check("head.weight", {spec.shape.I, spec.output_width()});
  check("head.bias", {spec.shape.I});
}

}  // namespace

template <Real T>
LanguageModel<T>::LanguageModel(const StackSpec& spec)
    : spec_(spec),
      layers_(spec),
      dlayers_(spec),
      weight_({spec.shape.I, spec.output_width()}),
      dweight_(weight_.view().extents()),
      bias_({spec.shape.I}),
      dbias_(bias_.view().extents()),
      layers_to_read_(net::read_only(layers_.views())) {
  const auto add = [&](const std::string& name, View<T> value, View<T> gradient) {
    net::ModelTensor<T> tensor;
    tensor.name = name;
    tensor.value = value;
    tensor.gradient = gradient;
    tensors_.push_back(tensor);
    values_.push_back(value);
    gradients_.push_back(gradient);
  };
  std::vector<View<T>> gradients;
  net::for_each_parameter(spec, dlayers_.views(), [&](const auto&, const auto&, View<T> view) {
    gradients.push_back(view);
  });
  std::size_t next = 0;
  net::for_each_parameter(spec, layers_.views(),
                          [&](const std::string& name, const auto&, View<T> view) {
                            add(name, view, gradients[next++]);
                          });
  add("head.weight", weight_.view(), dweight_.view());
  add("head.bias", bias_.view(), dbias_.view());
}

template <Real T>
void LanguageModel<T>::initialise(std::uint64_t seed, const TrainingOptions& options) {
  net::Random random(seed);
  for (Index k = 0; k < spec_.states(); ++k) {
    net::initialise(spec_.layer_spec(k / spec_.directions()),
                    layers_.views()[static_cast<std::size_t>(k)], random, options.forget_bias,
                    options.init);
  }
  net::initialise_dense(weight_.view(), bias_.view(), random, options.init);
}

template <Real T>
io::SafetensorsWriter LanguageModel<T>::to_file(const Corpus& corpus) const {
  io::SafetensorsWriter writer;
  writer.add_metadata(metadata_key, description_of(spec_, corpus).dump());
  net::add_weights(tensors_, writer);
  return writer;
}

template <Real T>
void LanguageModel<T>::from_file(const io::Safetensors& file, const Corpus& corpus) {
  check_description(file, spec_, corpus);
  net::load_weights(file, tensors_);
}

void check_weights(const io::Safetensors& file, const StackSpec& spec, const Corpus& corpus) {
  check_description(file, spec, corpus);
  check_extents(file, spec);
  const Index parameters = LanguageModel<float>::parameters(spec);
  const Index bytes = checked_product({2, parameters, Index{sizeof(float)}}, "parameters");
  require_memory(static_cast<std::size_t>(bytes), "a model like that of " + file.path());
  LanguageModel<float>(spec).from_file(file, corpus);
}

template class LanguageModel<float>;
template class LanguageModel<double>;

}  // namespace bptt::bench

// Parameters written and read back, and files that do not fit the model.
#include "impls/net/weights.hpp"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "impls/api/tensor.hpp"

namespace bptt::net {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

template <Real T>
struct Small {
  Small() {
    for (Index i = 0; i < 6; ++i) weight.view()[i] = static_cast<T>(0.1) * static_cast<T>(i - 2);
    bias.view()[1] = 7;
    tensors.resize(3);
    tensors[0].name = "weight_hh_l1_reverse";
    tensors[0].value = weight.view();
    tensors[1].name = "head.bias";
    tensors[1].value = bias.view();
    tensors[2].name = "x";
    tensors[2].role = Role::input;
    tensors[2].value = x.view();
  }
  io::Safetensors file() const {
    io::SafetensorsWriter writer;
    add_weights(tensors, writer);
    return io::Safetensors::parse("w.safetensors", writer.bytes());
  }
  Tensor<T> weight{{2, 3}}, bias{{2}}, x{{4}};
  std::vector<ModelTensor<T>> tensors;
};

template <Real T>
std::string complaint(const io::SafetensorsWriter& writer, Small<T>& model) {
  const std::vector<T> before(model.weight.view().begin(), model.weight.view().end());
  try {
    load_weights(io::Safetensors::parse("w.safetensors", writer.bytes()), model.tensors);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_THAT(error.what(), AllOf(HasSubstr("w.safetensors: "), Not(HasSubstr("\n"))));
    EXPECT_TRUE(std::equal(before.begin(), before.end(), model.weight.view().begin()));
    return error.what();
  }
  return "accepted";
}

TEST(Weights, ComeBackAsTheyWent) {
  Small<float> saved, loaded;
  const auto file = saved.file();
  EXPECT_EQ(file.tensors().size(), 2u) << "parameters only";
  EXPECT_EQ(file.tensor("weight_hh_l1_reverse").type, io::StoredType::f32);
  EXPECT_EQ(file.tensor("weight_hh_l1_reverse").shape, (std::vector<Index>{2, 3}));
  for (float& value : loaded.weight.view()) value = 0;
  for (float& value : loaded.bias.view()) value = 0;
  load_weights(file, loaded.tensors);
  for (Index i = 0; i < 6; ++i) EXPECT_EQ(loaded.weight.view()[i], saved.weight.view()[i]);
  EXPECT_EQ(loaded.bias.view()[1], 7);
}

TEST(Weights, PrecisionsConvert) {
  Small<double> wide;
  Small<float> narrow;
  for (float& value : narrow.weight.view()) value = 0;
  load_weights(wide.file(), narrow.tensors);
  EXPECT_EQ(narrow.weight.view()[0], static_cast<float>(wide.weight.view()[0]));
  load_weights(narrow.file(), wide.tensors);
  EXPECT_EQ(wide.weight.view()[0], static_cast<double>(narrow.weight.view()[0]));
}

TEST(Weights, WhatDoesNotFitIsNamedAndChangesNothing) {
  const std::vector<double> six = {9, 9, 9, 9, 9, 9}, two = {9, 9};
  const std::vector<Index> matrix = {2, 3}, vector = {2};
  const auto with = [&](auto&& change) {
    io::SafetensorsWriter writer;
    change(writer);
    Small<float> model;
    return complaint(writer, model);
  };
  EXPECT_EQ(with([&](auto& w) {
              w.add("weight_hh_l1_reverse", matrix, six);
              w.add("head.bias", vector, two);
            }),
            "accepted");
  EXPECT_THAT(with([&](auto& w) { w.add("weight_hh_l1_reverse", matrix, six); }),
              HasSubstr("expected a tensor 'head.bias'"));
  EXPECT_THAT(with([&](auto& w) {
                w.add("weight_hh_l1_reverse", std::vector<Index>{3, 2}, six);
                w.add("head.bias", vector, two);
              }),
              HasSubstr("'weight_hh_l1_reverse': expected extents [2,3]; got [3,2]"));
  EXPECT_THAT(with([&](auto& w) {
                w.add("weight_hh_l1_reverse", matrix, six);
                w.add("head.bias", vector, two);
                w.add("weight_ih_l2", vector, two);
              }),
              HasSubstr("'weight_ih_l2': the model has no such parameter"));
  EXPECT_THAT(with([&](auto& w) {
                w.add("weight_hh_l1_reverse", matrix, six);
                w.add("head.bias", vector, two);
                w.add("\n\x1b[2J", vector, two);
              }),
              HasSubstr("'??[2J': the model has no such parameter"));
  EXPECT_THAT(with([&](auto& w) {
                w.add("weight_hh_l1_reverse", matrix, six);
                w.add("head.bias", vector, std::vector<Index>{1, 2});
              }),
              HasSubstr("'head.bias': expected F32 or F64; got I64"));
  // NaN, and what is too large for the model's precision.
  for (const double value : {std::nan(""), 1e300}) {
    EXPECT_THAT(with([&](auto& w) {
                  w.add("weight_hh_l1_reverse", matrix, six);
                  w.add("head.bias", vector, std::vector<double>{1, value});
                }),
                HasSubstr("'head.bias': expected finite values; got"));
  }
}

}  // namespace
}  // namespace bptt::net

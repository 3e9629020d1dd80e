// SPDX-License-Identifier: Apache-2.0
#include "serving/onnx_engine.h"

#include <cmath>
#include <cstring>
#include <fstream>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "serving/onnx_file.h"
#include "serving/testing.h"

namespace slipway::serving {
namespace {

std::string refusal(const std::function<void()>& work, Code code = Code::kInvalidArgument) {
  try {
    work();
  } catch (const Error& error) {
    EXPECT_EQ(code_name(error.code()), code_name(code)) << error.what();
    return error.what();
  }
  return "accepted";
}

std::shared_ptr<const LoadedModel> load(const std::string& file, const std::string& label = "m/1") {
  return test_engine().load(testdata(file), label);
}

TEST(OnnxEngine, AnswersAsScikitLearnDid) {
  const auto model = load("classifier.onnx");
  ASSERT_EQ(model->inputs().size(), 1U);
  EXPECT_EQ(model->inputs()[0], (TensorInfo{"x", DataType::kFp32, {-1, 3}}));
  ASSERT_EQ(model->outputs().size(), 2U);
  EXPECT_EQ(model->outputs()[0], (TensorInfo{"label", DataType::kInt64, {-1}}));
  EXPECT_EQ(model->outputs()[1].name, "probabilities");
  const std::vector<Tensor> inputs{floats("x", {2, 3}, {0, 0, 0, 1, -1, 2})};
  const auto outputs = model->run(inputs);
  ASSERT_EQ(outputs.size(), 2U);
  // predict_proba of the fitted model: testdata/models.json.
  EXPECT_EQ(outputs[1].shape, (std::vector<std::int64_t>{2, 2}));
  const auto expected = expected_numbers("classifier");
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(numbers(outputs[1])[i], expected[i], 2e-6) << i;
}

TEST(OnnxEngine, GivesOnlyTheOutputsAskedFor) {
  const std::vector<Tensor> inputs{floats("x", {1, 3}, {0, 0, 0})};
  const std::vector<std::string> wanted{"probabilities"};
  const auto outputs = load("classifier.onnx")->run(inputs, wanted);
  ASSERT_EQ(outputs.size(), 1U);
  EXPECT_EQ(outputs[0].name, "probabilities");
  const std::vector<std::string> unknown{"nope"};
  EXPECT_EQ(refusal([&] { load("classifier.onnx")->run(inputs, unknown); }),
            "model m/1: it has no output `nope`");
}

TEST(OnnxEngine, EveryElementTypePassesThrough) {
  const auto model = load("identity.onnx");
  std::vector<Tensor> inputs;
  for (const TensorInfo& info : model->inputs()) {
    Tensor tensor = zeros(info.name, info.type, {3});
    for (std::size_t i = 0; i < tensor.bytes.size(); ++i)
      tensor.bytes[i] = static_cast<std::byte>(info.type == DataType::kBool ? i % 2 : i * 7 + 1);
    if (info.type == DataType::kBytes) tensor.texts = {"", "EWR", "caf\xc3\xa9"};
    inputs.push_back(tensor);
  }
  const auto outputs = model->run(inputs);
  ASSERT_EQ(outputs.size(), 13U);
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    EXPECT_EQ(outputs[i].type, inputs[i].type);
    EXPECT_EQ(outputs[i].bytes, inputs[i].bytes) << inputs[i].name;
    EXPECT_EQ(outputs[i].texts, inputs[i].texts);
  }
}

TEST(OnnxEngine, NanGoesInAndComesOut) {
  const std::vector<Tensor> inputs{floats("x", {1, 3}, {std::nanf(""), 0, 0})};
  const auto outputs = load("classifier.onnx")->run(inputs);
  EXPECT_TRUE(has_non_finite(outputs[1]));
  EXPECT_FALSE(has_non_finite(outputs[0]));
}

TEST(OnnxEngine, NoRowsAreAnswered) {
  const std::vector<Tensor> inputs{floats("x", {0, 2}, {})};
  const auto outputs = load("narrow.onnx")->run(inputs);
  EXPECT_EQ(outputs[0].shape, (std::vector<std::int64_t>{0, 2}));
}

TEST(OnnxEngine, WrongInputsAreNamed) {
  const auto model = load("classifier.onnx");
  struct Case {
    std::vector<Tensor> inputs;
    std::string message;
  };
  Tensor short_one = floats("x", {2, 3}, {1, 2, 3});
  Tensor negative = floats("x", {-1, 3}, {});
  Tensor doubles = zeros("x", DataType::kFp64, {1, 3});
  const Case cases[] = {
      {{}, "model m/1: input `x` is missing"},
      {{floats("y", {1, 3}, {1, 2, 3})}, "model m/1: input `x` is missing"},
      {{floats("x", {1, 3}, {1, 2, 3}), floats("y", {1, 3}, {1, 2, 3})},
       "model m/1: it has no input `y`"},
      {{floats("x", {1, 3}, {1, 2, 3}), floats("x", {1, 3}, {1, 2, 3})},
       "model m/1: input `x` came twice"},
      {{doubles}, "model m/1: input `x` is FP64, but the model takes FP32"},
      {{floats("x", {1, 2}, {1, 2})},
       "model m/1: input `x` has the shape [1, 2], but the model takes [-1, 3]"},
      {{floats("x", {3}, {1, 2, 3})},
       "model m/1: input `x` has the shape [3], but the model takes [-1, 3]"},
      {{short_one}, "model m/1: input `x` of shape [2, 3] holds 3 elements"},
      {{negative}, "tensor `x` has a negative dimension in its shape [-1, 3]"},
  };
  for (const Case& c : cases) EXPECT_EQ(refusal([&] { model->run(c.inputs); }), c.message);
  Tensor text = zeros("carrier", DataType::kBytes, {1, 1});
  text.texts[0] = std::string("a\0b", 3);
  EXPECT_EQ(
      refusal([&] {
        load("columns.onnx")
            ->run(std::vector<Tensor>{floats("a", {1, 1}, {1}), floats("b", {1, 1}, {1}), text});
      }),
      "model m/1: input `carrier` holds a text with a zero byte, which the engine cannot take");
}

TEST(OnnxEngine, AFailureInsideTheModelNamesIt) {
  Tensor index = zeros("i", DataType::kInt64, {1});
  const std::int64_t value = 99;
  std::memcpy(index.bytes.data(), &value, sizeof value);
  const std::string text =
      refusal([&] { load("gather.onnx", "delays/7")->run(std::vector<Tensor>{index}); },
              Code::kInvalidArgument);
  EXPECT_EQ(text.substr(0, 22), "model delays/7 failed:");
}

TEST(OnnxEngine, SideFilesAreReadOnlyBesideTheModel) {
  const auto outputs =
      load("external.onnx")->run(std::vector<Tensor>{floats("x", {1, 2}, {10, 100})});
  EXPECT_EQ(numbers(outputs[0]), (std::vector<double>{20, 300}));
  EXPECT_EQ(refusal([] { load("escaping.onnx"); }),
            "model m/1: it keeps data in `../testdata/external.data`, but only files beside the "
            "model, named without a folder, are read");
  EXPECT_EQ(refusal([] { load("absolute.onnx"); }),
            "model m/1: it keeps data in `/etc/hostname`, but only files beside the model, named "
            "without a folder, are read");
  EXPECT_EQ(refusal([] { load("missing.onnx"); }),
            "model m/1: its data file `not-there.data` is not beside it; log the whole folder");
  const TemporaryFolder folder;
  std::filesystem::copy_file(testdata("external.onnx"), folder.path() / "external.onnx");
  std::filesystem::create_symlink(testdata("external.data"), folder.path() / "external.data");
  EXPECT_EQ(refusal([&] { test_engine().load(folder.path() / "external.onnx", "m/1"); }),
            "model m/1: its data file `external.data` is not a regular file");
}

TEST(OnnxEngine, RefusesWhatItCannotServe) {
  EXPECT_EQ(refusal([] { load("custom.onnx"); }),
            "model m/1: it uses operators of the domain `com.example`, which would need a library "
            "of its own; only ONNX's own and "
            "com.microsoft are allowed");
  EXPECT_EQ(refusal([] { load("zipmap.onnx"); }),
            "model m/1: output `output_probability` is not a tensor; a scikit-learn classifier "
            "needs to be exported with zipmap off");
  EXPECT_EQ(refusal([] { load("models.json"); }).substr(0, 28), "model m/1: not an ONNX model");
  EXPECT_EQ(refusal([] { load("nothing.onnx"); }, Code::kNotFound).substr(0, 22),
            "model m/1: cannot read");
}

TEST(OnnxEngine, EveryPrefixOfAModelIsRefusedOrLoads) {
  const std::string whole = read_file(testdata("gather.onnx"));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    try {
      read_onnx_facts(std::string_view(whole).substr(0, size));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Code::kInvalidArgument);
    }
  }
  EXPECT_EQ(read_onnx_facts(whole).nodes, 1);
  EXPECT_EQ(read_onnx_facts(whole).producer, "slipway-testdata");
}

TEST(OnnxFile, GraphsInGraphsHaveALimit) {
  const auto field = [](int number, const std::string& bytes) {
    std::string out(1, static_cast<char>(number << 3 | 2));
    for (std::size_t size = bytes.size();; size >>= 7) {
      out.push_back(static_cast<char>((size & 0x7F) | (size > 0x7F ? 0x80 : 0)));
      if (size <= 0x7F) break;
    }
    return out + bytes;
  };
  std::string graph;
  for (int depth = 1; depth < kModelDepthMax; ++depth) graph = field(1, field(5, field(6, graph)));
  const std::string ir("\x08\x08", 2);
  EXPECT_EQ(read_onnx_facts(ir + field(7, graph)).nodes, kModelDepthMax - 1);
  graph = field(1, field(5, field(6, graph)));
  EXPECT_EQ(refusal([&] { read_onnx_facts(ir + field(7, graph)); }),
            "its graphs are nested deeper than 16 levels");
}

TEST(OnnxEngine, AMissingLibrarySaysWhatToDo) {
  OnnxEngine engine(OnnxEngine::Options{"/nonexistent/libonnxruntime.so"});
  try {
    engine.load(testdata("gather.onnx"), "m/1");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Code::kUnavailable);
    EXPECT_STREQ(error.what(), "ONNX Runtime's library was not found");
    EXPECT_EQ(error.hint(), "run scripts/setup, or set SLIPWAY_ONNXRUNTIME to libonnxruntime.so");
  }
}

TEST(OnnxEngine, LooksForTheLibraryInOrder) {
  EXPECT_EQ(library_places("/opt/s/bin/slipway", "/x/libonnxruntime.so"),
            (std::vector<std::filesystem::path>{"/x/libonnxruntime.so"}));
  const auto places = library_places("/opt/s/build/release/slipway", nullptr);
  EXPECT_EQ(places.front(), "/opt/s/build/release/parts/onnxruntime/lib/libonnxruntime.so.1.27.0");
  EXPECT_NE(std::find(places.begin(), places.end(),
                      "/opt/s/build/parts/onnxruntime/lib/libonnxruntime.so.1.27.0"),
            places.end());
  EXPECT_EQ(places.back(), "libonnxruntime.so");
}

TEST(OnnxEngine, ManyThreadsRunOneModel) {
  const auto model = load("classifier.onnx");
  const std::vector<Tensor> inputs{floats("x", {1, 3}, {1, -1, 2})};
  const auto expected = model->run(inputs);
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 500; ++i) wrong += same_values(model->run(inputs), expected) ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Tensor, SizesHaveLimits) {
  const std::int64_t huge = std::numeric_limits<std::int64_t>::max();
  EXPECT_EQ(element_count("x", std::vector<std::int64_t>{}), 1);
  EXPECT_EQ(element_count("x", std::vector<std::int64_t>{kTensorElementsMax}), kTensorElementsMax);
  EXPECT_EQ(element_count("x", std::vector<std::int64_t>{huge, 0, huge}), 0);
  EXPECT_EQ(refusal([&] {
              element_count("x", std::vector<std::int64_t>{huge, huge});
            }),
            "tensor `x` of shape [9223372036854775807, 9223372036854775807] has more than 16777216 "
            "elements");
  EXPECT_EQ(refusal([&] {
              element_count("x", std::vector<std::int64_t>{4'294'967'296, 4'294'967'296});
            }).substr(0, 21),
            "tensor `x` of shape [");
  EXPECT_EQ(refusal([&] { element_count("x", std::vector<std::int64_t>(17, 1)); }),
            "tensor `x` has 17 dimensions, at most 16 are allowed");
}

TEST(Tensor, NumbersOfEveryType) {
  const auto one = [](DataType type, auto value) {
    Tensor tensor = zeros("t", type, {1});
    std::memcpy(tensor.bytes.data(), &value, sizeof value);
    return number_at(tensor, 0);
  };
  EXPECT_EQ(one(DataType::kBool, std::uint8_t{1}), 1);
  EXPECT_EQ(one(DataType::kInt8, std::int8_t{-7}), -7);
  EXPECT_EQ(one(DataType::kUint16, std::uint16_t{65535}), 65535);
  EXPECT_EQ(one(DataType::kInt16, std::int16_t{-32768}), -32768);
  EXPECT_EQ(one(DataType::kUint32, std::uint32_t{4294967295U}), 4294967295.0);
  EXPECT_EQ(one(DataType::kInt32, std::int32_t{-5}), -5);
  EXPECT_EQ(one(DataType::kUint64, std::uint64_t{1} << 63), 9223372036854775808.0);
  EXPECT_EQ(one(DataType::kFp16, std::uint16_t{0x3C00}), 1.0);
  EXPECT_EQ(one(DataType::kFp16, std::uint16_t{0xC0A0}), -2.3125);
  EXPECT_EQ(one(DataType::kFp16, std::uint16_t{0x0001}), 5.960464477539063e-08);
  EXPECT_TRUE(std::isnan(one(DataType::kFp16, std::uint16_t{0x7E00})));
  EXPECT_EQ(one(DataType::kFp64, 2.5), 2.5);
}

}  // namespace
}  // namespace slipway::serving

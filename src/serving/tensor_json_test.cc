// SPDX-License-Identifier: Apache-2.0
#include "serving/tensor_json.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "base/error.h"
#include "serving/output.h"
#include "serving/testing.h"

namespace slipway::serving {
namespace {

std::vector<Tensor> read(std::string_view text) {
  json::PullReader reader(text);
  auto tensors = read_tensors(reader);
  reader.finish();
  return tensors;
}

std::string refusal(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return std::string(code_name(error.code())) + ": " + error.what();
  }
  return "accepted";
}

std::string round_trip(std::string_view text) {
  std::string out;
  for (const Tensor& tensor : read(text)) append_tensor(out, tensor);
  return out;
}

TEST(TensorJson, EveryTypeComesBackAsItCame) {
  const char* const tensors[] = {
      R"({"name":"a","datatype":"BOOL","shape":[2],"data":[true,false]})",
      R"({"name":"a","datatype":"UINT8","shape":[2],"data":[0,255]})",
      R"({"name":"a","datatype":"UINT16","shape":[1],"data":[65535]})",
      R"({"name":"a","datatype":"UINT32","shape":[1],"data":[4294967295]})",
      R"({"name":"a","datatype":"UINT64","shape":[1],"data":[18446744073709551615]})",
      R"({"name":"a","datatype":"INT8","shape":[2],"data":[-128,127]})",
      R"({"name":"a","datatype":"INT16","shape":[1],"data":[-32768]})",
      R"({"name":"a","datatype":"INT32","shape":[1],"data":[-2147483648]})",
      R"({"name":"a","datatype":"INT64","shape":[2],"data":[-9223372036854775808,9007199254740993]})",
      R"({"name":"a","datatype":"FP32","shape":[5],"data":[0.1,1.0,NaN,Infinity,-Infinity]})",
      R"({"name":"a","datatype":"FP64","shape":[2,1],"data":[0.30000000000000004,-1e-300]})",
      R"({"name":"a \"b\"","datatype":"BYTES","shape":[2],"data":["","caf)"
      "\xc3\xa9"
      R"("]})",
      R"({"name":"a","datatype":"FP32","shape":[0,3],"data":[]})",
  };
  for (const char* tensor : tensors) EXPECT_EQ(round_trip("[" + std::string(tensor) + "]"), tensor);
}

TEST(TensorJson, NestedAndFlatAreTheSame) {
  const auto flat = read(R"([{"name":"x","shape":[2,3],"datatype":"FP32","data":[1,2,3,4,5,6]}])");
  EXPECT_EQ(read(R"([{"name":"x","shape":[2,3],"datatype":"FP32","data":[[1,2,3],[4,5,6]]}])"),
            flat);
  // Keys in any order, and parameters of other servers.
  EXPECT_EQ(
      read(
          R"([{"data":[[1,2,3],[4,5,6]],"parameters":{"content_type":"np"},"datatype":"FP32","shape":[2,3],"name":"x"}])"),
      flat);
}

TEST(TensorJson, BadInputsAreNamed) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {R"([{"shape":[1],"datatype":"FP32","data":[1]}])",
       "invalid_argument: an input has no `name`"},
      {R"([{"name":"x","shape":[1],"data":[1]}])",
       "invalid_argument: tensor `x` has no `datatype`"},
      {R"([{"name":"x","datatype":"FP32","data":[1]}])",
       "invalid_argument: tensor `x` has no `shape`"},
      {R"([{"name":"x","datatype":"FP32","shape":[1]}])",
       "invalid_argument: tensor `x` has no `data`"},
      {R"([{"name":"x","datatype":"FLOAT","shape":[1],"data":[1]}])",
       "invalid_argument: tensor `x` has the unknown datatype `FLOAT`"},
      {R"([{"name":"x","datatype":"FP16","shape":[1],"data":[1]}])",
       "unimplemented: tensor `x`: FP16 has no form in JSON; send FP32"},
      {R"([{"name":"x","datatype":"FP32","shape":[-1],"data":[1]}])",
       "invalid_argument: tensor `x` has a negative dimension in its shape [-1]"},
      {R"([{"name":"x","datatype":"FP32","shape":[4294967296,4294967296],"data":[1]}])",
       "invalid_argument: tensor `x` of shape [4294967296, 4294967296] has more than 16777216 "
       "elements"},
      {R"([{"name":"x","datatype":"FP32","shape":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1],"data":[1]}])",
       "invalid_argument: `shape` has more than 16 dimensions"},
      {R"([{"name":"x","datatype":"FP32","shape":[18446744073709551616],"data":[1]}])",
       "invalid_argument: not valid JSON: not a whole number of 64 bits at byte 40"},
      {R"([{"name":"x","datatype":"FP32","shape":[2],"data":[1]}])",
       "invalid_argument: tensor `x` of shape [2] takes 2 elements, its data hold 1"},
      {R"([{"name":"x","datatype":"FP32","shape":[2],"data":[1,2,3]}])",
       "invalid_argument: tensor `x` of shape [2] takes 2 elements, its data hold more"},
      {R"([{"name":"x","datatype":"FP32","shape":[2],"data":[1,"a"]}])",
       "invalid_argument: tensor `x` at element 1: expected a number at byte 53, found a text"},
      {R"([{"name":"x","datatype":"FP32","shape":[1],"data":7}])",
       "invalid_argument: tensor `x` at element 0: expected a list at byte 50, found a number"},
      {R"([{"name":"x","datatype":"UINT8","shape":[1],"data":[256]}])",
       "invalid_argument: tensor `x` of type UINT8 cannot hold 256"},
      {R"([{"name":"x","datatype":"UINT32","shape":[1],"data":[-1]}])",
       "invalid_argument: tensor `x` of type UINT32 cannot hold -1"},
      {R"([{"name":"x","datatype":"BOOL","shape":[1],"data":[2]}])",
       "invalid_argument: tensor `x` of type BOOL cannot hold 2"},
      {R"([{"name":"x","datatype":"BYTES","shape":[1],"data":[1]}])",
       "invalid_argument: tensor `x` at element 0: expected a text at byte 52, found a number"},
      {R"([{"name":"x","datatype":"FP32","shape":[1],"parameters":{"binary_data_size":4}}])",
       "unimplemented: tensor `x`: only JSON data are taken, not `binary_data_size`"},
      {R"({"name":"x"})", "invalid_argument: expected a list at byte 0, found an object"},
  };
  for (const Case& c : cases) EXPECT_EQ(refusal([&] { read(c.text); }), c.message) << c.text;
  EXPECT_EQ(refusal([&] {
              read(R"([{"name":"x","datatype":"INT32","shape":[1],"data":[1.5]}])");
            }).substr(0, 52),
            "invalid_argument: tensor `x` at element 0: not valid");
  const std::string deep = R"([{"name":"x","datatype":"FP32","shape":[1],"data":)" +
                           std::string(2'000, '[') + std::string(2'000, ']') + "}]";
  EXPECT_EQ(refusal([&] { read(deep); }).substr(0, 17), "invalid_argument:");
}

TEST(TensorJson, NestsByShape) {
  std::string out;
  append_nested(out, floats("x", {2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(out, "[[1.0,2.0,3.0],[4.0,5.0,6.0]]");
  out.clear();
  append_nested(out, floats("x", {}, {7}));
  EXPECT_EQ(out, "7.0");
  out.clear();
  append_nested(out, floats("x", {0, 3}, {}));
  EXPECT_EQ(out, "[]");
}

std::string read_scoring(std::string_view text, const std::vector<TensorInfo>& inputs,
                         const Signature& signature = {}) {
  const auto request = read_scoring_request(text);
  const auto* frame = std::get_if<Frame>(&request);
  std::string out;
  for (const Tensor& tensor : frame != nullptr
                                  ? bind_frame(*frame, signature, inputs)
                                  : bind_loose(std::get<LooseTensors>(request), inputs)) {
    out += tensor.name + " " + std::string(type_name(tensor.type)) + " ";
    append_nested(out, tensor);
    out += ";";
  }
  return out;
}

const std::vector<TensorInfo> kMatrix{{"x", DataType::kFp32, {-1, 2}}};
const std::vector<TensorInfo> kColumns{{"a", DataType::kFp32, {-1, 1}},
                                       {"b", DataType::kInt64, {-1, 1}},
                                       {"c", DataType::kBytes, {-1, 1}}};

TEST(ScoringJson, EveryFormatReachesTheModel) {
  EXPECT_EQ(
      read_scoring(
          R"({"dataframe_split":{"index":[0,1],"columns":["a","c","b"],"data":[[1,"x",2],[null,"y",3]]}})",
          kColumns),
      "a FP32 [[1.0],[NaN]];b INT64 [[2],[3]];c BYTES [[\"x\"],[\"y\"]];");
  EXPECT_EQ(
      read_scoring(R"({"dataframe_records":[{"a":1,"b":2,"c":"x","other":null},{"c":"y","b":3}]})",
                   kColumns),
      "a FP32 [[1.0],[NaN]];b INT64 [[2],[3]];c BYTES [[\"x\"],[\"y\"]];");
  EXPECT_EQ(read_scoring(R"({"instances":[{"a":1,"b":2,"c":"x"}],"params":{"k":1}})", kColumns),
            "a FP32 [[1.0]];b INT64 [[2]];c BYTES [[\"x\"]];");
  EXPECT_EQ(read_scoring(R"({"instances":[[1,2],[3,NaN]]})", kMatrix),
            "x FP32 [[1.0,2.0],[3.0,NaN]];");
  EXPECT_EQ(read_scoring(R"({"inputs":[[1,2]]})", kMatrix), "x FP32 [[1.0,2.0]];");
  EXPECT_EQ(read_scoring(R"({"inputs":{"x":[[1,2]]}})", kMatrix), "x FP32 [[1.0,2.0]];");
  EXPECT_EQ(read_scoring(R"({"inputs":{"a":[1],"b":[[2]],"c":["x"]}})", kColumns),
            "a FP32 [[1.0]];b INT64 [[2]];c BYTES [[\"x\"]];");
}

TEST(ScoringJson, TheSignaturePutsColumnsInOrder) {
  const Signature signature{{{"month", "long", true}, {"distance", "double", true}}, {}};
  EXPECT_EQ(
      read_scoring(
          R"({"dataframe_split":{"columns":["distance","extra","month"],"data":[[100,0,3]]}})",
          kMatrix, signature),
      "x FP32 [[3.0,100.0]];");
  EXPECT_EQ(refusal([&] {
              read_scoring(R"({"dataframe_split":{"columns":["distance"],"data":[[100]]}})",
                           kMatrix, signature);
            }),
            "invalid_argument: column `month` is missing");
  Signature optional = signature;
  optional.inputs[0].required = false;
  EXPECT_EQ(read_scoring(R"({"dataframe_split":{"columns":["distance"],"data":[[100]]}})", kMatrix,
                         optional),
            "x FP32 [[NaN,100.0]];");
}

TEST(ScoringJson, BadRequestsAreNamed) {
  struct Case {
    const char* text;
    const char* message;
  };
  const Case cases[] = {
      {"[1]",
       "Received a JSON value that is not an object. It must have exactly one of the keys "
       "dataframe_split, dataframe_records, instances, inputs"},
      {"{}", "none of the keys dataframe_split, dataframe_records, instances, inputs was sent"},
      {R"({"inputs":[[1,2]],"instances":[[1,2]]})",
       "both `inputs` and `instances` were sent. It must have exactly one of the keys "
       "dataframe_split, dataframe_records, instances, inputs"},
      {R"({"data":[[1,2]]})",
       "unknown key `data`. It must have exactly one of the keys dataframe_split, "
       "dataframe_records, instances, inputs"},
      {R"({"dataframe_split":{"columns":["a"]}})", "`dataframe_split` has no `data`"},
      {R"({"dataframe_split":{"columns":["a","b"],"data":[[1]]}})",
       "row 0 has 1 cells, expected 2"},
      {R"({"dataframe_split":{"data":[[1,2],[3]]}})", "row 1 has 1 cells, expected 2"},
      {R"({"dataframe_split":{"data":[[1,[2]]]}})",
       "a cell of the table at byte 31 is neither number, text, true, false nor null"},
      {R"({"inputs":[[1,2],[3]]})", "input `` is no regular nested list of numbers or texts"},
      {R"({"inputs":[[1,2],3]})", "input `` is no regular nested list of numbers or texts"},
      {R"({"inputs":[1,[2]]})", "input `` is no regular nested list of numbers or texts"},
      {R"({"inputs":[[1,"a"]]})", "input `` is no regular nested list of numbers or texts"},
      {R"({"inputs":{"y":[[1,2]]}})", "input `x` is missing"},
      {R"({"dataframe_split":{"data":[[1,2,3]]}})", "the model takes 2 columns, the request has 3"},
      {R"({"dataframe_split":{"data":[[1,"a"]]}})",
       "column `1`, row 0: expected a number, found a text"},
  };
  for (const Case& c : cases)
    EXPECT_EQ(refusal([&] { read_scoring(c.text, kMatrix); }),
              std::string("invalid_argument: ") + c.message)
        << c.text;
  EXPECT_EQ(refusal([&] {
              read_scoring(R"({"dataframe_split":{"columns":["a","b","c"],"data":[[1,null,"x"]]}})",
                           kColumns);
            }),
            "invalid_argument: column `b`, row 0: null has no place in a column of type INT64");
  EXPECT_EQ(refusal([&] {
              read_scoring(R"({"dataframe_split":{"columns":["a","b","c"],"data":[[1,1.5,"x"]]}})",
                           kColumns);
            }),
            "invalid_argument: tensor `b` of type INT64 cannot hold 1.500000");
  EXPECT_EQ(refusal([&] { read_scoring(R"({"instances":[[1,2]]})", kColumns); }),
            "invalid_argument: the model has 3 inputs: send them by name");
}

TEST(Csv, CellsAreWhatTheyReadAs) {
  const Frame frame = read_csv_frame("a,b,\"c,d\"\r\n1,,\"x\"\"y\"\r\n2.5,True,7\n");
  EXPECT_EQ(frame.columns, (std::vector<std::string>{"a", "b", "c,d"}));
  ASSERT_EQ(frame.rows.size(), 2U);
  EXPECT_EQ(frame.rows[0],
            (std::vector<Frame::Cell>{std::int64_t{1}, std::monostate{}, std::string("x\"y")}));
  EXPECT_EQ(frame.rows[1], (std::vector<Frame::Cell>{2.5, true, std::int64_t{7}}));
  EXPECT_EQ(refusal([] { read_csv_frame("a,b\n1\n"); }),
            "invalid_argument: row 0 of the CSV has 1 cells, expected 2");
  EXPECT_EQ(refusal([] { read_csv_frame("a\n\"1"); }),
            "invalid_argument: the CSV ends within a quoted cell");
  EXPECT_EQ(refusal([] { read_csv_frame(""); }),
            "invalid_argument: the CSV is empty; its first line names the columns");
}

TEST(Element, NumbersGoInExactlyOrNotAtAll) {
  Tensor tensor = zeros("t", DataType::kUint64, {1});
  put_number(tensor, 0, 9223372036854775808.0);
  EXPECT_EQ(number_at(tensor, 0), 9223372036854775808.0);
  EXPECT_NE(refusal([&] { put_number(tensor, 0, 18446744073709551616.0); }), "accepted");
  EXPECT_NE(refusal([&] { put_number(tensor, 0, std::nan("")); }), "accepted");
  EXPECT_NE(refusal([&] { put_number(tensor, 0, -1); }), "accepted");
  Tensor flag = zeros("t", DataType::kBool, {1});
  put_number(flag, 0, 1.0);
  EXPECT_EQ(number_at(flag, 0), 1);
  EXPECT_NE(refusal([&] { put_number(flag, 0, 0.5); }), "accepted");
}

TEST(Output, FindsThePredictionOfARow) {
  Tensor label = zeros("label", DataType::kInt64, {2});
  put_integer(label, 1, 1);
  const std::vector<Tensor> classifier{
      label, floats("probabilities", {2, 2}, {0.875F, 0.125F, 0.25F, 0.75F})};
  EXPECT_EQ(row_output(classifier, 0).value, 0.125);
  EXPECT_EQ(row_output(classifier, 0).predicted, "0");
  EXPECT_EQ(row_output(classifier, 1).predicted, "1");
  EXPECT_EQ(row_output(classifier, 1, "", "late").value, 0.75);
  EXPECT_EQ(row_output(classifier, 1, "probabilities", "0").value, 0.25);
  EXPECT_EQ(row_output(classifier, 1, "label").value, 1);
  const std::vector<Tensor> regressor{floats("y", {2, 1}, {1.5F, std::nanf("")})};
  EXPECT_EQ(row_output(regressor, 0).value, 1.5);
  EXPECT_EQ(row_output(regressor, 0).predicted, "1.5");
  EXPECT_TRUE(std::isnan(row_output(regressor, 1).value));
  EXPECT_EQ(refusal([&] { row_output(regressor, 2); }),
            "invalid_argument: output `y` has 2 rows, no row 2");
  EXPECT_EQ(refusal([&] { row_output(regressor, 0, "z"); }),
            "invalid_argument: the model has no output `z`");
  EXPECT_EQ(refusal([&] { row_output(classifier, 0, "", "2"); }),
            "invalid_argument: output `probabilities` has 2 columns, none of them for class `2`");
}

}  // namespace
}  // namespace slipway::serving

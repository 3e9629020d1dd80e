// SPDX-License-Identifier: Apache-2.0
#include "serving/testing.h"

#include <cassert>
#include <cstring>
#include <stdlib.h>

#include "base/error.h"
#include "base/file.h"
#include "json/value.h"
#include "serving/onnx_engine.h"

namespace slipway::serving {

std::filesystem::path testdata(const std::string& name) {
  return std::filesystem::absolute("src/serving/testdata") / name;
}

std::vector<double> expected_numbers(const std::string& key) {
  const json::Value facts = json::parse(read_file(testdata("models.json")));
  std::vector<double> values;
  for (const json::Value& row : facts.find(key)->as_array()) {
    for (const json::Value& cell : row.as_array()) values.push_back(cell.as_double());
  }
  return values;
}

Engine& test_engine() {
  static OnnxEngine engine(OnnxEngine::Options{
      std::filesystem::absolute("build/parts/onnxruntime/lib/libonnxruntime.so.1.27.0")});
  return engine;
}

Tensor floats(std::string name, std::vector<std::int64_t> shape, const std::vector<float>& values) {
  Tensor tensor{std::move(name),
                DataType::kFp32,
                std::move(shape),
                std::vector<std::byte>(values.size() * sizeof(float)),
                {}};
  if (!values.empty()) std::memcpy(tensor.bytes.data(), values.data(), tensor.bytes.size());
  return tensor;
}

TemporaryFolder::TemporaryFolder() {
  std::string name = (std::filesystem::temp_directory_path() / "slipway-serving-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw errno_error(errno, "cannot make a folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace slipway::serving

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "serving/engine.h"
#include "serving/tensor.h"

namespace slipway::serving {

// Fixtures of this folder's tests and of those who use it. Tests run in the repository's root.

// src/serving/testdata/NAME
std::filesystem::path testdata(const std::string& name);

// The numbers of a list of lists in testdata/models.json, row after row.
std::vector<double> expected_numbers(const std::string& key);

// The real engine with the library of build/parts, made once.
Engine& test_engine();

Tensor floats(std::string name, std::vector<std::int64_t> shape, const std::vector<float>& values);

// A folder that is removed with all it holds.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace slipway::serving

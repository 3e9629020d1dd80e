// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "pipeline/stage.h"

namespace slipway::pipeline {

// A .dvc file: data that somebody added (or imported), as a stage without a command.
// Throws kInvalidArgument "data.dvc:3:1: unknown key …" for what DVC's schema does not have,
// kUnimplemented for DVC 1 stages in .dvc files.
Stage parse_data_file(std::string_view text, const std::filesystem::path& file,
                      const std::string& file_name);

// The file's text for what the stage's outputs have recorded. `before` is the text that is there,
// "" for a new file: its keys keep their order and those that this program does not know stay
// (comments do not).
std::string data_file_text(const Stage& stage, std::string_view before,
                           const std::string& file_name);

}  // namespace slipway::pipeline

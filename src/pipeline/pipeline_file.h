// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "pipeline/stage.h"

namespace slipway::pipeline {

// The stages of a dvc.yaml, in its order, without what dvc.lock knows of them.
//
// Offered of DVC's schema: cmd, deps, params, outs, metrics, frozen, always_changed, desc, meta; of
// an output cache, persist, push, remote and its annotations. Known to DVC but not offered here
// (foreach, do, matrix, wdir, vars, plots, artifacts, datasets, `${…}`): kUnimplemented naming the
// key and where it stands. Anything else: kInvalidArgument "dvc.yaml:4:5: unknown key `dep` in
// stage `train`, did you mean `deps`?".
//   text       of the file
//   file       its absolute path
//   file_name  as messages should name it
std::vector<Stage> parse_pipeline(std::string_view text, const std::filesystem::path& file,
                                  const std::string& file_name);

}  // namespace slipway::pipeline

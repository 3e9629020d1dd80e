// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "data/workspace.h"
#include "pipeline/stage.h"
#include "yaml/node.h"

namespace slipway::pipeline {

// DVC's record of what commands made of which inputs: <cache>/runs/<2>/<key>/<value>, each a
// stage's lock entry in YAML.
//   key    SHA-256 of the entry's JSON with the outputs' paths alone instead of `outs`
//   value  SHA-256 of the whole entry's JSON; both without every key named `size` or `nfiles`,
//   wherever it stands
// That rule drops parameters of these names too, so DVC may take outputs of other parameters for
// its own (DVC issue 10296). Entries are therefore compared in full before they are used, and every
// value of a key is tried, the newest first, not the newest alone (issue 9420).
class RunCache {
 public:
  explicit RunCache(data::Workspace& workspace) : workspace_(workspace) {}

  // The outputs of an earlier run with this command, these dependencies and parameters (all must be
  // `recorded` as they are now), all of them in the cache; in the stage's order. nullopt when there
  // is none, or the stage is not of the kind (see is_usable).
  std::optional<std::vector<Recorded>> find(const Stage& stage) const;

  // Keeps the stage's entry. Every output must be `recorded`; outputs that the stage does not cache
  // are copied into the cache too, as DVC does.
  void save(const Stage& stage) const;

  // Whether its runs can be told apart: a command, at least one dependency or parameter, outputs,
  // none of them persistent or outside the repository; not always_changed.
  bool is_usable(const Stage& stage) const;

 private:
  std::filesystem::path folder_of(const std::string& key) const;

  data::Workspace& workspace_;
};

// The two hashes of a lock entry.
std::string run_key(const yaml::Node& entry);
std::string run_value(const yaml::Node& entry);

}  // namespace slipway::pipeline

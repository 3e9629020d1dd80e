// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "automation/object.h"
#include "base/process.h"

// The client's side of desired state: files of a repository become the objects that a server is
// asked for. docs/formats/slipway-yaml.md.
namespace slipway::automation {

inline constexpr std::uint64_t kFileBytesMax = 4U << 20;

// Every object of one file's text: YAML documents, each an object {kind, name, spec, protect?,
// adopt?} or a list of such. Keys are checked here, with their place; values are checked by
// normalise(), here and again by the server. Throws kInvalidArgument "slipway.yaml:12:5: unknown
// key `stpes` in spec.rollout, did you mean `steps`?".
std::vector<Declared> read_objects(std::string_view text, const std::string& file_name);

// The objects of `path`: one file, or a folder's *.yaml and *.yml in the order of their names. "" =
// slipway.yaml in `folder`, else the folder slipway in it. kNotFound naming both when there is
// neither.
struct Desired {
  std::vector<Declared> objects;
  std::string path;  // of the file or folder, below `folder`
};
Desired read_desired(const std::string& folder, const std::string& path = {});

// Whose files they are: repository, commit and whether the working tree is clean, as git says it.
// Outside git: a Source with path and folder alone. Throws kFailedPrecondition in a shallow clone
// (its first commit is not the repository's).
Source read_source(ProcessRunner& processes, const std::string& folder, const std::string& path);

}  // namespace slipway::automation

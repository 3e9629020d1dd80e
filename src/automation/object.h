// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/value.h"
#include "storage/database.h"

namespace slipway::automation {

// Where desired state came from. Ownership is by (repo, path): only what this file of this
// repository made is changed or pruned by it.
struct Source {
  std::string repo;  // names the repository in every clone of it: the id of its first commit, or ""
                     // outside git
  std::string path;  // of the file or folder in it: "slipway.yaml", "slipway"
  std::string
      folder;  // absolute path of this clone's top folder: retraining takes its worktrees from it
  std::string commit;  // the commit that was checked out; "" outside git
  bool dirty = false;  // the working tree had changes that no commit holds
  bool operator==(const Source&) const = default;
};
json::Object to_json(const Source& source);
// kInvalidArgument naming the field. A commit is empty or a whole hash: it becomes an argument of
// git.
Source source_from_json(const json::Value& value);

// One object of a file, as asked for.
struct Declared {
  std::string kind;
  std::string name;
  json::Object spec;     // as written, or normalised
  bool protect = false;  // may not be deleted while this stands
  bool adopt = false;    // takes over an object that another file, or nobody, owns
  std::string where;     // "slipway.yaml:12:1" for messages; "" when it did not come from a file
};
json::Object to_json(const Declared& declared);
// {"kind","name","spec","protect"?,"adopt"?,"where"?}; kInvalidArgument for anything else.
Declared declared_from_json(const json::Value& value);

// An object as the server keeps it: what was last applied, by whom, and how often it changed.
struct Object {
  std::string kind;
  std::string name;
  json::Object spec;  // normalised, as last applied
  bool protect = false;
  Source source;  // managed by; `dirty` is not kept
  std::string spec_hash;
  std::int64_t resource_version = 0;  // counts from 1, up with every change of the row
  TimeUs applied_at = 0;
  std::string applied_by;
};
json::Object to_json(const Object& object);
// The same for anybody on this machine: of a webhook's URL, which holds a secret, scheme and host
// alone.
json::Object shown_json(const Object& object);

std::optional<Object> find_object(storage::Session& session, const std::string& kind,
                                  const std::string& name);
std::vector<Object> list_objects(storage::Session& session,
                                 const std::string& kind = {});  // by kind and name

// Writes the row, with the next resource_version; returns it as stored.
Object put_object(storage::Transaction& transaction, const Clock& clock, const Object& object);
void delete_object(storage::Transaction& transaction, const std::string& kind,
                   const std::string& name);

// The id of this store, made when first asked for. nullopt from a read before that.
std::string store_id(storage::Transaction& transaction, const Clock& clock);
std::optional<std::string> find_store_id(storage::Session& session);

}  // namespace slipway::automation

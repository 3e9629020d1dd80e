// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "storage/database.h"

namespace slipway::registry {

// Limits in characters, as MLflow 3.17 has them (utils/validation.py and its tables).
inline constexpr std::size_t kModelNameCharactersMax = 256;
inline constexpr std::size_t kTagKeyCharactersMax = 250;
inline constexpr std::size_t kTagValueCharactersMax = 100'000;
// Ours: the stock server's tables say 5,000, but SQLite takes any length and people put model cards
// there.
inline constexpr std::size_t kDescriptionCharactersMax = 100'000;
// Ours: tags that one create call may carry.
inline constexpr std::size_t kTagsMax = 100;

struct Tag {
  std::string key;
  std::string value;
  bool operator==(const Tag&) const = default;
};

struct AliasName {
  std::string alias;
  std::int64_t version = 0;
  bool operator==(const AliasName&) const = default;
};

// A name under which versions are registered. Names hold no '/' or ':'.
struct RegisteredModel {
  std::int64_t key = 0;  // internal, never reused
  std::string name;
  std::optional<std::string> description;
  TimeUs created_at = 0;
  TimeUs updated_at = 0;           // also moved by its versions and aliases, as MLflow does
  std::vector<Tag> tags;           // by key
  std::vector<AliasName> aliases;  // by alias
};

struct NewModel {
  std::string name;
  std::optional<std::string> description;
  std::vector<Tag> tags;
  std::string actor;  // as in ledger::Event
};

// All functions throw kInvalidArgument for a bad name, key or value (with MLflow's text), kNotFound
// "Registered Model with name=X not found" where the model must exist, kAlreadyExists where it must
// not. Times are the clock's.

// Appends model.created.
RegisteredModel create_model(storage::Transaction& transaction, const Clock& clock,
                             const NewModel& model);

std::optional<RegisteredModel> find_model(storage::Session& session, const std::string& name);
RegisteredModel get_model(storage::Session& session, const std::string& name);
// Whether the name is a prompt's: it carries kPromptTag with "true". False when there is none.
bool is_prompt(storage::Session& session, const std::string& name);
std::vector<std::string> list_model_names(storage::Session& session);  // sorted by bytes

// Versions, aliases and their history follow the new name; provenance keeps the old one.
// kPermissionDenied while an alias of either name has a rule, which a file declares by name.
// Appends model.renamed.
RegisteredModel rename_model(storage::Transaction& transaction, const Clock& clock,
                             const std::string& name, const std::string& new_name,
                             const std::string& actor);
RegisteredModel update_model(storage::Transaction& transaction, const Clock& clock,
                             const std::string& name,
                             const std::optional<std::string>& description);

// Removes the model, its versions and aliases from sight; the alias history and provenance stay.
// kPermissionDenied while an alias of it has a rule: otherwise deleting and creating anew would be
// a way around the gate. Appends model.deleted.
void delete_model(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                  const std::string& actor);

void set_model_tag(storage::Transaction& transaction, const Clock& clock, const std::string& name,
                   const Tag& tag);
void delete_model_tag(storage::Transaction& transaction, const Clock& clock,
                      const std::string& name,
                      const std::string& key);  // a key that is not there is no error

// Throw kInvalidArgument with MLflow's words.
void check_model_name(std::string_view name);
void check_tag(const Tag& tag);
void check_tags(const std::vector<Tag>& tags);  // each, and their number
void check_description(const std::optional<std::string>& description);

}  // namespace slipway::registry

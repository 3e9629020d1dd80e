// SPDX-License-Identifier: Apache-2.0
#include "automation/object.h"

#include <algorithm>
#include <array>

#include "base/error.h"
#include "base/id.h"
#include "net/url.h"

namespace slipway::automation {
namespace {

constexpr std::string_view kSelect =
    "SELECT kind, name, spec, protect, repo, path, folder, commit_id, spec_hash, resource_version, "
    "applied_at, applied_by"
    " FROM object ";

std::string select(const std::string& rest) { return std::string(kSelect) + rest; }

Object read_row(const storage::Statement& row) {
  Object object;
  object.kind = row.text(0);
  object.name = row.text(1);
  object.spec = json::parse(row.text_view(2)).as_object();
  object.protect = row.int64(3) != 0;
  object.source.repo = row.text(4);
  object.source.path = row.text(5);
  object.source.folder = row.text(6);
  object.source.commit = row.text(7);
  object.spec_hash = row.text(8);
  object.resource_version = row.int64(9);
  object.applied_at = row.int64(10);
  object.applied_by = row.text(11);
  return object;
}

const json::Object& object_at(const json::Value& value, const std::string& what) {
  if (!value.is_object()) {
    throw Error(Code::kInvalidArgument,
                what + " must be an object, not " + std::string(json::kind_name(value)));
  }
  return value.as_object();
}

std::string text_at(const json::Object& object, std::string_view key, const std::string& what,
                    bool required) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->is_null()) {
    if (required) {
      throw Error(Code::kInvalidArgument, what + ": `" + std::string(key) + "` is required");
    }
    return {};
  }
  if (!value->is_string()) {
    throw Error(Code::kInvalidArgument, what + ": `" + std::string(key) + "` must be a text");
  }
  return value->as_string();
}

bool flag_at(const json::Object& object, std::string_view key, const std::string& what) {
  const json::Value* value = object.find(key);
  if (value == nullptr || value->is_null()) {
    return false;
  }
  if (!value->is_bool()) {
    throw Error(Code::kInvalidArgument,
                what + ": `" + std::string(key) + "` must be true or false");
  }
  return value->as_bool();
}

// A whole hash, SHA-1 or SHA-256, in lower case.
bool is_commit_hash(std::string_view text) {
  return text.size() >= 40 && text.size() <= 64 &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

}  // namespace

json::Object to_json(const Source& source) {
  return {{"repo", source.repo},
          {"path", source.path},
          {"folder", source.folder},
          {"commit", source.commit},
          {"dirty", source.dirty}};
}

Source source_from_json(const json::Value& value) {
  const json::Object& object = object_at(value, "`source`");
  Source source;
  source.repo = text_at(object, "repo", "`source`", false);
  source.path = text_at(object, "path", "`source`", true);
  source.folder = text_at(object, "folder", "`source`", false);
  source.commit = text_at(object, "commit", "`source`", false);
  if (!source.commit.empty() && !is_commit_hash(source.commit)) {
    throw Error(Code::kInvalidArgument,
                "`source`: `commit` must be a whole commit hash (40 to 64 of 0-9, a-f) or empty");
  }
  source.dirty = flag_at(object, "dirty", "`source`");
  return source;
}

json::Object to_json(const Declared& declared) {
  json::Object object{{"kind", declared.kind}, {"name", declared.name}, {"spec", declared.spec}};
  if (declared.protect) {
    object.set("protect", true);
  }
  if (declared.adopt) {
    object.set("adopt", true);
  }
  if (!declared.where.empty()) {
    object.set("where", declared.where);
  }
  return object;
}

Declared declared_from_json(const json::Value& value) {
  const json::Object& object = object_at(value, "an entry of `objects`");
  static constexpr std::array<std::string_view, 6> kKeys = {"kind",    "name",  "spec",
                                                            "protect", "adopt", "where"};
  for (const auto& [key, unused] : object) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      throw Error(Code::kInvalidArgument, "an entry of `objects` has the unknown key `" + key +
                                              "`, expected kind, name, spec, protect, adopt");
    }
  }
  Declared declared;
  declared.kind = text_at(object, "kind", "an entry of `objects`", true);
  declared.name = text_at(object, "name", declared.kind, true);
  const std::string what = declared.kind + " `" + declared.name + "`";
  if (const json::Value* spec = object.find("spec"); spec != nullptr && !spec->is_null()) {
    declared.spec = object_at(*spec, what + ": `spec`");
  }
  declared.protect = flag_at(object, "protect", what);
  declared.adopt = flag_at(object, "adopt", what);
  declared.where = text_at(object, "where", what, false);
  return declared;
}

json::Object to_json(const Object& object) {
  json::Object managed = to_json(object.source);
  managed.erase("dirty");
  managed.set("spec_hash", object.spec_hash);
  managed.set("at", format_time(object.applied_at));
  managed.set("by", object.applied_by);
  return {{"kind", object.kind},
          {"name", object.name},
          {"spec", object.spec},
          {"protect", object.protect},
          {"resource_version", object.resource_version},
          {"managed_by", std::move(managed)}};
}

json::Object shown_json(const Object& object) {
  json::Object shown = to_json(object);
  const json::Value* url = object.spec.find("url");
  if (object.kind == "Webhook" && url != nullptr && url->is_string()) {
    json::Object spec = object.spec;
    std::string visible;
    try {
      visible = net::origin(net::parse_url(url->as_string()));
    } catch (const Error&) {
      // A URL that nobody can take apart is not shown at all.
    }
    spec.set("url", std::move(visible));
    shown.set("spec", std::move(spec));
  }
  return shown;
}

std::optional<Object> find_object(storage::Session& session, const std::string& kind,
                                  const std::string& name) {
  storage::Statement row = session.query(select("WHERE kind = ?1 AND name = ?2"), kind, name);
  if (!row.step()) {
    return std::nullopt;
  }
  return read_row(row);
}

std::vector<Object> list_objects(storage::Session& session, const std::string& kind) {
  storage::Statement row =
      session.query(select("WHERE ?1 = '' OR kind = ?1 ORDER BY kind, name"), kind);
  std::vector<Object> objects;
  while (row.step()) {
    objects.push_back(read_row(row));
  }
  return objects;
}

Object put_object(storage::Transaction& transaction, const Clock& clock, const Object& object) {
  Object stored = object;
  const std::optional<Object> before = find_object(transaction, object.kind, object.name);
  stored.resource_version = before ? before->resource_version + 1 : 1;
  stored.applied_at = clock.now();
  const std::string spec = json::write(stored.spec);
  stored.spec_hash = sha256_hex(spec);
  transaction.execute(
      "INSERT INTO object (kind, name, spec, protect, repo, path, folder, commit_id, spec_hash, "
      "resource_version, applied_at,"
      " applied_by) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)"
      " ON CONFLICT (kind, name) DO UPDATE SET spec = excluded.spec, protect = excluded.protect, "
      "repo = excluded.repo,"
      " path = excluded.path, folder = excluded.folder, commit_id = excluded.commit_id, spec_hash "
      "= excluded.spec_hash,"
      " resource_version = excluded.resource_version, applied_at = excluded.applied_at, applied_by "
      "= excluded.applied_by",
      stored.kind, stored.name, spec, stored.protect, stored.source.repo, stored.source.path,
      stored.source.folder, stored.source.commit, stored.spec_hash, stored.resource_version,
      stored.applied_at, stored.applied_by);
  return stored;
}

void delete_object(storage::Transaction& transaction, const std::string& kind,
                   const std::string& name) {
  transaction.execute("DELETE FROM object WHERE kind = ?1 AND name = ?2", kind, name);
}

std::optional<std::string> find_store_id(storage::Session& session) {
  storage::Statement row = session.query("SELECT id FROM store_identity WHERE only_row = 1");
  if (!row.step()) {
    return std::nullopt;
  }
  return row.text(0);
}

std::string store_id(storage::Transaction& transaction, const Clock& clock) {
  if (std::optional<std::string> id = find_store_id(transaction)) {
    return *id;
  }
  std::string id = new_ulid(clock.now());
  transaction.execute("INSERT INTO store_identity (only_row, id) VALUES (1, ?1)", id);
  return id;
}

}  // namespace slipway::automation

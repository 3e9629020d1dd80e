// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <ostream>

#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

struct VersionName {
  std::string model;
  std::int64_t version = 0;
};

// "NAME/3".
VersionName parse_version_name(const std::string& text) {
  const std::size_t slash = text.rfind('/');
  VersionName name;
  if (slash != std::string::npos && slash > 0) {
    name.model = text.substr(0, slash);
    const char* const end = text.data() + text.size();
    const auto [stop, fault] = std::from_chars(text.data() + slash + 1, end, name.version);
    if (fault == std::errc{} && stop == end && name.version > 0) return name;
  }
  throw Error(Code::kInvalidArgument, "`" + text + "` is no model version: write NAME/NUMBER",
              "slipway model list");
}

// The filter that lets the versions of this model through, and, for a name with both kinds of
// quotes, those of models whose names differ from it in a `'` alone: MLflow's filters cannot write
// that name.
std::string filter_of(const std::string& model) {
  if (model.find('\'') == std::string::npos) return "name='" + model + "'";
  if (model.find('"') == std::string::npos) return "name=\"" + model + "\"";
  std::string pattern = model;
  std::replace(pattern.begin(), pattern.end(), '\'', '_');
  return "name LIKE '" + pattern + "'";
}

json::Array versions_of(Client& client, const std::string& model) {
  json::Array versions = client.get_pages("/api/2.0/mlflow/model-versions/search",
                                          {{"filter", filter_of(model)}}, "model_versions");
  std::erase_if(versions, [&](const json::Value& version) {
    const json::Value* const name = version.find("name");
    return name == nullptr || !name->is_string() || name->as_string() != model;
  });
  return versions;
}

// "champion = 19, shadow = 22" of [{alias, version}], or "champion, shadow" of a list of names.
std::string aliases_text(const json::Value& row) {
  std::string text;
  for (const json::Value& alias : list_in(row, "aliases")) {
    text += (text.empty() ? "" : ", ") +
            (alias.is_string() ? alias.as_string()
                               : text_at(alias, "alias") + " = " + text_at(alias, "version"));
  }
  return text;
}

json::Array with_aliases_text(json::Array rows) {
  for (json::Value& row : rows) row.as_object().set("alias_text", aliases_text(row));
  return rows;
}

}  // namespace

int model_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, with_aliases_text(list_of(client, kModels)),
              {{"MODEL", "name"}, {"ALIASES", "alias_text"}, {"DESCRIPTION", "description"}});
  return kDone;
}

int model_show(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("MODEL");
  json::Object model;
  about(client, kModels, name, [&] {
    model = client.get("/api/2.0/mlflow/registered-models/get", {{"name", name}})
                .find("registered_model")
                ->as_object();
  });
  const json::Array versions = versions_of(client, name);
  model.set("versions", versions);
  if (context.json) {
    print_json(context, model);
    return kDone;
  }
  print_table(
      context, with_aliases_text(versions),
      {{"VERSION", "version"}, {"ALIASES", "alias_text"}, {"RUN", "run_id"}, {"SOURCE", "source"}});
  return kDone;
}

int model_promote(const Arguments& arguments, Context& context) {
  const VersionName name = parse_version_name(*arguments.text("NAME/VERSION"));
  Client client;
  json::Object body{{"version", name.version}, {"alias", arguments.text_or("alias", "champion")}};
  if (const auto reason = arguments.text("reason")) body.set("reason", *reason);
  constexpr int kGateTimeoutMs =
      600'000;  // it scores both versions on every logged input of the window
  json::Value answer;
  about(client, kModels, name.model, [&] {
    answer = client.post(api_path("/models/{}/promote", {name.model}), body, kGateTimeoutMs);
  });
  const std::string verdict = text_at(answer, "verdict");
  if (context.json) {
    print_json(context, answer);
  } else {
    context.out << name.model << "/" << name.version << ": " << text_at(answer, "outcome")
                << ", alias " << arguments.text_or("alias", "champion") << "\n";
    if (const std::string reason = text_at(answer, "reason"); !reason.empty())
      context.out << "  " << (verdict.empty() ? "" : "gate says " + verdict + ": ") << reason
                  << "\n";
    if (const std::string hash = text_at(answer, "evidence"); !hash.empty())
      context.out << "  evidence: slipway evidence show " << hash << "\n";
    if (const std::string id = text_at(answer, "rollout"); !id.empty())
      context.out << "  rollout: slipway rollout show " << id << "\n";
  }
  return text_at(answer, "outcome") == "refused" ? kRefused : kDone;
}

}  // namespace slipway::cli

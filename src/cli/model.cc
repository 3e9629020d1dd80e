// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include "base/error.h"
#include "cli/client.h"
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

json::Array versions_of(Client& client, const std::string& model) {
  const json::Value answer =
      client.get("/api/2.0/mlflow/model-versions/search",
                 {{"filter", "name='" + model + "'"}, {"max_results", "1000"}});
  const json::Value* const list = answer.find("model_versions");
  return list == nullptr ? json::Array() : list->as_array();
}

}  // namespace

int model_list(const Arguments&, Context& context) {
  Client client;
  const json::Value answer =
      client.get("/api/2.0/mlflow/registered-models/search", {{"max_results", "1000"}});
  const json::Value* const list = answer.find("registered_models");
  json::Array rows = list == nullptr ? json::Array() : list->as_array();
  for (json::Value& row : rows) {
    std::string aliases;
    if (const json::Value* const pairs = row.find("aliases")) {
      for (const json::Value& pair : pairs->as_array()) {
        aliases += (aliases.empty() ? "" : ", ") + text_at(pair, "alias") + " = " +
                   text_at(pair, "version");
      }
    }
    row.as_object().set("alias_text", aliases.empty() ? "-" : aliases);
  }
  print_table(context, rows,
              {{"MODEL", "name"}, {"ALIASES", "alias_text"}, {"DESCRIPTION", "description"}});
  return kDone;
}

int model_show(const Arguments& arguments, Context& context) {
  Client client;
  const std::string name = *arguments.text("MODEL");
  const json::Value model = client.get("/api/2.0/mlflow/registered-models/get", {{"name", name}});
  json::Object shown = model.find("registered_model")->as_object();
  shown.set("versions", versions_of(client, name));
  if (context.json) {
    print_json(context, shown);
    return kDone;
  }
  json::Array rows = shown.find("versions")->as_array();
  for (json::Value& row : rows) {
    std::string aliases;
    if (const json::Value* const names = row.find("aliases")) {
      for (const json::Value& alias : names->as_array())
        aliases += (aliases.empty() ? "" : ", ") + alias.as_string();
    }
    row.as_object().set("alias_text", aliases.empty() ? "-" : aliases);
  }
  print_table(
      context, rows,
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
  const json::Value answer =
      client.post(api_path("/models/{}/promote", {name.model}), body, kGateTimeoutMs);
  const std::string verdict = text_at(answer, "verdict");
  if (context.json) {
    print_json(context, answer);
  } else {
    context.out << name.model << "/" << name.version << ": " << text_at(answer, "outcome") << "\n";
    if (const std::string reason = text_at(answer, "reason"); !reason.empty())
      context.out << "  gate says " << verdict << ": " << reason << "\n";
    if (const std::string hash = text_at(answer, "evidence"); !hash.empty())
      context.out << "  evidence: slipway evidence show " << hash << "\n";
    if (const std::string id = text_at(answer, "rollout"); !id.empty())
      context.out << "  rollout: slipway rollout show " << id << "\n";
  }
  return text_at(answer, "outcome") == "refused" ? kRefused : kDone;
}

}  // namespace slipway::cli

// SPDX-License-Identifier: Apache-2.0
#include "cli/noun.h"

#include <algorithm>

#include "base/error.h"
#include "base/nearest.h"
#include "base/text.h"
#include "cli/output.h"

namespace slipway::cli {
namespace {

std::string route_of(const Noun& noun) { return "/" + std::string(noun.plural); }

std::vector<std::string> names_of(const json::Array& things, std::string_view member) {
  std::vector<std::string> names;
  for (const json::Value& thing : things) names.push_back(text_at(thing, member));
  return names;
}

}  // namespace

json::Array list_in(const json::Value& answer, std::string_view key) {
  const json::Value* const list = answer.find(key);
  return list == nullptr || !list->is_array() ? json::Array() : list->as_array();
}

json::Array list_of(Client& client, const Noun& noun, const Client::Query& query) {
  if (noun.word == kModels.word)
    return client.get_pages("/api/2.0/mlflow/registered-models/search", query, noun.plural);
  return list_in(client.get(api_path(route_of(noun)), query), noun.plural);
}

void about(Client& client, const Noun& noun, const std::string& name,
           const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound || name.empty()) throw;
    const std::vector<std::string> names = names_of(list_of(client, noun), noun.identified_by);
    if (std::find(names.begin(), names.end(), name) != names.end()) throw;
    const std::string_view near = nearest(name, {names.begin(), names.end()});
    std::string message = "there is no " + std::string(noun.word) + " `" + name + "`";
    if (!near.empty()) message += ", did you mean `" + std::string(near) + "`?";
    throw Error(Code::kNotFound, message, "slipway " + std::string(noun.word) + " list");
  }
}

json::Value get_one(Client& client, const Noun& noun, const std::string& name) {
  json::Value answer;
  about(client, noun, name, [&] { answer = client.get(api_path(route_of(noun) + "/{}", {name})); });
  return answer;
}

json::Value act_on(Client& client, const Noun& noun, const std::string& name,
                   const std::string& verb, const Arguments& arguments) {
  json::Object body;
  if (const auto reason = arguments.text("reason")) body.set("reason", *reason);
  json::Value answer;
  about(client, noun, name,
        [&] { answer = client.post(api_path(route_of(noun) + "/{}/" + verb, {name}), body); });
  return answer;
}

std::string whole_id(std::string_view word, const std::string& typed,
                     const std::vector<std::string>& ids) {
  std::vector<std::string> begin_so;
  for (const std::string& id : ids) {
    if (same_ignoring_case(id, typed)) return id;
    if (same_ignoring_case(std::string_view(id).substr(0, typed.size()), typed) &&
        std::find(begin_so.begin(), begin_so.end(), id) == begin_so.end()) {
      begin_so.push_back(id);
    }
  }
  if (begin_so.empty()) return typed;
  if (begin_so.size() == 1) return begin_so.front();
  throw Error(Code::kInvalidArgument, "more than one " + std::string(word) + " begins with `" +
                                          typed + "`: write more of it, as in `" +
                                          begin_so.front() + "`");
}

}  // namespace slipway::cli

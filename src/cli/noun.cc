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

json::Array list_of(Client& client, const Noun& noun, Client::Query query) {
  if (noun.word == kModels.word)
    return client.get_pages("/api/2.0/mlflow/registered-models/search", query, noun.plural);
  if (noun.page_max > 0) query.emplace_back("limit", std::to_string(noun.page_max));
  return list_in(client.get(api_path(route_of(noun)), query), noun.plural);
}

bool is_full(const Noun& noun, const json::Array& list) {
  return noun.page_max > 0 && list.size() >= noun.page_max;
}

std::string did_you_mean(const std::string& typed, const std::vector<std::string>& known) {
  const std::string_view near = nearest(typed, {known.begin(), known.end()});
  return near.empty() ? "" : ", did you mean `" + std::string(near) + "`?";
}

void about(Client& client, const Noun& noun, const std::string& name,
           const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    if (error.code() != Code::kNotFound || name.empty()) throw;
    const json::Array known = list_of(client, noun);
    const std::vector<std::string> names = names_of(known, noun.identified_by);
    // What a full page lacks may be older than it: the server, which looked, has the word.
    if (is_full(noun, known) || std::find(names.begin(), names.end(), name) != names.end()) throw;
    throw Error(
        Code::kNotFound,
        "there is no " + std::string(noun.word) + " `" + name + "`" + did_you_mean(name, names),
        "slipway " + std::string(noun.word) + " list");
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
    if (same_ignoring_case(std::string_view{id}.substr(0, typed.size()), typed) &&
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

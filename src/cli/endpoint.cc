// SPDX-License-Identifier: Apache-2.0
#include <ostream>

#include "base/error.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

// The server keeps a reason with every rollback; break-glass does not wait for one.
constexpr const char* kNoReasonGiven = "no reason given";

// A version that is loading is the course of things and no problem: the member `loading` says which
// one it is, and is there only while it lasts.
void without_false_alarm(json::Object& endpoint) {
  const json::Value* const found = endpoint.find("loading");
  const bool loading = found != nullptr && found->is_bool() && found->as_bool();
  if (loading) endpoint.set("loading", text_at(endpoint, "problem"));
  endpoint.erase(loading ? "problem" : "loading");
}

}  // namespace

int endpoint_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client, kEndpoints),
              {{"ENDPOINT", "name"},
               {"MODEL", "model"},
               {"ALIAS", "alias"},
               {"SERVES", "champion.version"},
               {"WATERMARK", "watermark"}});
  return kDone;
}

int endpoint_show(const Arguments& arguments, Context& context) {
  Client client;
  json::Value endpoint = get_one(client, kEndpoints, *arguments.text("ENDPOINT"));
  if (!context.json) without_false_alarm(endpoint.as_object());
  print_object(context, endpoint);
  return kDone;
}

int rollback(const Arguments& arguments, Context& context) {
  const std::string name = *arguments.text("ENDPOINT");
  json::Object body{{"reason", arguments.text_or("reason", kNoReasonGiven)}};
  if (const auto ttl = arguments.text("ttl")) body.set("ttl", *ttl);
  Client client;
  json::Value answer;
  about(client, kEndpoints, name,
        [&] { answer = client.post(api_path("/endpoints/{}/rollback", {name}), body); });
  print_object(context, answer);
  if (!context.json) {
    context.err << "automation keeps its hands off `" << name
                << "` until: slipway endpoint release " << name << "\n";
  }
  return kDone;
}

int endpoint_release(const Arguments& arguments, Context& context) {
  const std::string name = *arguments.text("ENDPOINT");
  Client client;
  json::Value answer;
  about(client, kEndpoints, name,
        [&] { answer = client.post(api_path("/endpoints/{}/release", {name}), json::Object()); });
  if (context.json) {
    print_json(context, answer);
    return kDone;
  }
  const json::Value* const released = answer.find("released");
  const bool held = released != nullptr && released->is_bool() && released->as_bool();
  context.out << "endpoint `" << name
              << "`: " << (held ? "the hold is released" : "there was no hold to release") << "\n";
  return kDone;
}

}  // namespace slipway::cli

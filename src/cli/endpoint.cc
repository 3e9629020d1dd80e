// SPDX-License-Identifier: Apache-2.0
#include "base/clock.h"
#include "base/error.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

json::Array list_of(const json::Value& answer, std::string_view key) {
  if (answer.is_array()) return answer.as_array();
  const json::Value* const list = answer.find(key);
  return list == nullptr || !list->is_array() ? json::Array() : list->as_array();
}

}  // namespace

int endpoint_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client.get(api_path("/endpoints")), "endpoints"),
              {{"ENDPOINT", "name"},
               {"MODEL", "model"},
               {"ALIAS", "alias"},
               {"SERVES", "champion.version"},
               {"WATERMARK", "watermark"}});
  return kDone;
}

int endpoint_show(const Arguments& arguments, Context& context) {
  Client client;
  print_object(context, client.get(api_path("/endpoints/{}", {*arguments.text("ENDPOINT")})));
  return kDone;
}

int rollback(const Arguments& arguments, Context& context) {
  const std::string name = *arguments.text("ENDPOINT");
  json::Object body{{"reason", arguments.text_or("reason", "")}};
  if (const auto ttl = arguments.text("ttl")) body.set("ttl", *ttl);
  Client client;
  const json::Value answer = client.post(api_path("/endpoints/{}/rollback", {name}), body);
  if (context.json) {
    print_json(context, answer);
    return kDone;
  }
  print_object(context, answer);
  context.err << "automation keeps its hands off `" << name << "` until: slipway endpoint release "
              << name << "\n";
  return kDone;
}

int endpoint_release(const Arguments& arguments, Context& context) {
  Client client;
  print_object(context,
               client.post(api_path("/endpoints/{}/release", {*arguments.text("ENDPOINT")}),
                           json::Object()));
  return kDone;
}

}  // namespace slipway::cli

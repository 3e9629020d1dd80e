// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

int act(const Arguments& arguments, Context& context, const std::string& verb) {
  json::Object body;
  if (const auto reason = arguments.text("reason")) body.set("reason", *reason);
  Client client;
  print_object(context,
               client.post(api_path("/triggers/{}/" + verb, {*arguments.text("TRIGGER")}), body));
  return kDone;
}

}  // namespace

int trigger_list(const Arguments&, Context& context) {
  Client client;
  const json::Value answer = client.get(api_path("/triggers"));
  const json::Value* const list = answer.find("triggers");
  print_table(context, list == nullptr ? json::Array() : list->as_array(),
              {{"TRIGGER", "name"},
               {"STATE", "state"},
               {"PIPELINE", "pipeline"},
               {"FAILURES", "failures"},
               {"LAST", "last_fired"}});
  return kDone;
}

int trigger_show(const Arguments& arguments, Context& context) {
  Client client;
  print_object(context, client.get(api_path("/triggers/{}", {*arguments.text("TRIGGER")})));
  return kDone;
}

int trigger_log(const Arguments& arguments, Context& context) {
  Client client;
  context.out << client.get_text(api_path("/retrainings/{}/log", {*arguments.text("RETRAINING")}));
  return kDone;
}

int trigger_pause(const Arguments& arguments, Context& context) {
  return act(arguments, context, "pause");
}
int trigger_resume(const Arguments& arguments, Context& context) {
  return act(arguments, context, "resume");
}
int trigger_fire(const Arguments& arguments, Context& context) {
  return act(arguments, context, "fire");
}

}  // namespace slipway::cli

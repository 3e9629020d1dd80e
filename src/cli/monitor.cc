// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

json::Array list_of(const json::Value& answer, std::string_view key) {
  const json::Value* const list = answer.find(key);
  return list == nullptr || !list->is_array() ? json::Array() : list->as_array();
}

}  // namespace

int label_add(const Arguments& arguments, Context& context) {
  const std::string file = *arguments.text("FILE");
  std::string lines;
  if (file == "-") {
    std::stringstream all;
    all << context.in.rdbuf();
    lines = all.str();
  } else {
    lines = read_file(file);
  }
  Client client;
  print_object(context,
               client.post_text(api_path("/endpoints/{}/labels", {*arguments.text("endpoint")}),
                                "application/x-ndjson", lines));
  return kDone;
}

int monitor_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client.get(api_path("/monitors")), "monitors"),
              {{"MONITOR", "name"},
               {"ENDPOINT", "spec.endpoint"},
               {"STATE", "status.state"},
               {"VALUE", "status.value"},
               {"BUDGET", "spec.budget"},
               {"BLOCKS", "status.blocks_closed"}});
  return kDone;
}

int monitor_show(const Arguments& arguments, Context& context) {
  Client client;
  print_object(context, client.get(api_path("/monitors/{}", {*arguments.text("MONITOR")})));
  return kDone;
}

int monitor_export(const Arguments& arguments, Context& context) {
  Client client;
  const std::string csv =
      client.get_text(api_path("/monitors/{}/export", {*arguments.text("MONITOR")}),
                      {{"until", arguments.text_or("until", "")}, {"format", "csv"}});
  if (const auto file = arguments.text("output")) {
    write_file_atomic(*file, csv);
    context.err << "wrote " << csv.size() << " bytes to " << *file << "\n";
  } else {
    context.out << csv;
  }
  return kDone;
}

int alarm_list(const Arguments& arguments, Context& context) {
  Client client;
  print_table(
      context,
      list_of(client.get(api_path("/alarms"), {{"monitor", arguments.text_or("monitor", "")}}),
              "alarms"),
      {{"ALARM", "id"},
       {"MONITOR", "monitor"},
       {"BLOCK", "block"},
       {"VALUE", "value"},
       {"THRESHOLD", "threshold"},
       {"MEAN LOSS", "mean_loss"}});
  return kDone;
}

int gate_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client.get(api_path("/gates")), "gates"),
              {{"GATE", "name"},
               {"MODEL", "spec.model"},
               {"ALIAS", "spec.alias"},
               {"MONITOR", "spec.monitor"},
               {"ALPHA", "spec.alpha"}});
  return kDone;
}

int gate_evaluate(const Arguments& arguments, Context& context) {
  constexpr int kGateTimeoutMs = 600'000;
  Client client;
  const json::Value answer = client.post(
      api_path("/gates/{}/evaluate", {*arguments.text("GATE")}),
      json::Object{{"challenger", arguments.integer("challenger").value_or(0)}}, kGateTimeoutMs);
  print_object(context, answer);
  return text_at(answer, "verdict") == "pass" ? kDone : kRefused;
}

}  // namespace slipway::cli

// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <sstream>

#include "base/error.h"
#include "base/file.h"
#include "cli/client.h"
#include "cli/noun.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

const std::vector<Column> kAlarmColumns{
    {"ALARM", "id"},    {"MONITOR", "monitor"},     {"BLOCK", "block"},
    {"VALUE", "value"}, {"THRESHOLD", "threshold"}, {"MEAN LOSS", "mean_loss"}};

std::string read_lines(const std::string& file, std::istream& standard_input) {
  if (file != "-") return read_file(file);
  std::stringstream all;
  all << standard_input.rdbuf();
  return all.str();
}

}  // namespace

int label_add(const Arguments& arguments, Context& context) {
  const std::string lines = read_lines(*arguments.text("FILE"), context.in);
  const std::string endpoint = *arguments.text("endpoint");
  Client client;
  json::Value receipt;
  about(client, kEndpoints, endpoint, [&] {
    receipt = client.post_text(api_path("/endpoints/{}/labels", {endpoint}), "application/x-ndjson",
                               lines);
  });
  print_object(context, receipt);
  const json::Value* const failed = receipt.find("failed");
  return failed != nullptr && failed->is_integer() && failed->as_int() > 0 ? kFailed : kDone;
}

int monitor_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client, kMonitors),
              {{"MONITOR", "name"},
               {"ENDPOINT", "spec.endpoint"},
               {"STATE", "status.state"},
               {"VALUE", "status.value"},
               {"BUDGET", "spec.budget"},
               {"BLOCKS", "status.blocks_closed"}});
  return kDone;
}

int monitor_show(const Arguments& arguments, Context& context) {
  constexpr std::size_t kBlocksShown = 14;
  Client client;
  const json::Value monitor = get_one(client, kMonitors, *arguments.text("MONITOR"));
  if (context.json) {
    print_json(context, monitor);
    return kDone;
  }
  json::Object members = monitor.as_object();
  members.erase("blocks");
  members.erase("alarms");
  print_object(context, members);
  json::Array blocks = list_in(monitor, "blocks");
  const json::Array alarms = list_in(monitor, "alarms");
  if (!blocks.empty()) {
    if (blocks.size() > kBlocksShown) blocks.resize(kBlocksShown);
    context.out << "\nnewest blocks (more with --json):\n";
    print_rows(context, blocks,
               {{"BLOCK", "start"},
                {"PREDICTIONS", "predictions"},
                {"LABELLED", "labelled"},
                {"MEAN LOSS", "mean_loss"},
                {"VALUE", "value"},
                {"JUDGED", "judged"},
                {"SKIPPED", "skipped"}});
  }
  if (!alarms.empty()) {
    context.out << "\nalarms:\n";
    print_rows(context, alarms, kAlarmColumns);
  }
  return kDone;
}

int monitor_export(const Arguments& arguments, Context& context) {
  if (const std::string format = arguments.text_or("format", "csv"); format != "csv")
    throw Error(Code::kInvalidArgument, "`--format " + format + "`: csv is the only format");
  const std::string name = *arguments.text("MONITOR");
  Client client;
  std::string csv;
  about(client, kMonitors, name, [&] {
    csv = client.get_text(api_path("/monitors/{}/export", {name}),
                          {{"until", arguments.text_or("until", "")}, {"format", "csv"}});
  });
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
  const json::Array alarms =
      list_of(client, kAlarms, {{"monitor", arguments.text_or("monitor", "")}});
  print_table(context, alarms, kAlarmColumns);
  if (is_full(kAlarms, alarms))
    context.err << "the newest " << alarms.size() << "; there may be older ones\n";
  return kDone;
}

int gate_list(const Arguments&, Context& context) {
  Client client;
  print_table(context, list_of(client, kGates),
              {{"GATE", "name"},
               {"MODEL", "spec.model"},
               {"ALIAS", "spec.alias"},
               {"MONITOR", "spec.monitor"},
               {"ALPHA", "spec.alpha"}});
  return kDone;
}

int gate_evaluate(const Arguments& arguments, Context& context) {
  constexpr int kGateTimeoutMs = 600'000;
  const std::int64_t challenger = *arguments.integer("challenger", 1);
  const std::string name = *arguments.text("GATE");
  Client client;
  json::Value answer;
  about(client, kGates, name, [&] {
    answer = client.post(api_path("/gates/{}/evaluate", {name}),
                         json::Object{{"challenger", challenger}}, kGateTimeoutMs);
  });
  print_object(context, answer);
  return text_at(answer, "verdict") == "pass" ? kDone : kRefused;
}

}  // namespace slipway::cli

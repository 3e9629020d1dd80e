// SPDX-License-Identifier: Apache-2.0
#include "server/server.h"

#include <csignal>
#include <ostream>

#include "base/error.h"
#include "base/log.h"
#include "cli/output.h"
#include "cli/verbs.h"

namespace slipway::cli {
namespace {

constexpr int kDrainMs = 10'000;

// "HOST:PORT", "[::1]:PORT" or ":PORT".
void parse_listen(const std::string& text, std::string& host, std::uint16_t& port) {
  const std::size_t colon = text.rfind(':');
  int number = -1;
  if (colon != std::string::npos && colon + 1 < text.size() &&
      text.find_first_not_of("0123456789", colon + 1) == std::string::npos &&
      text.size() - colon <= 6) {
    number = std::stoi(text.substr(colon + 1));
  }
  if (number < 0 || number > 65'535) {
    throw Error(Code::kInvalidArgument,
                "`--listen " + text +
                    "`: write HOST:PORT, for example 127.0.0.1:5000; port 0 takes a free one");
  }
  host = text.substr(0, colon);
  if (host.size() > 1 && host.front() == '[' && host.back() == ']')
    host = host.substr(1, host.size() - 2);
  if (host.empty()) host = "127.0.0.1";
  port = static_cast<std::uint16_t>(number);
}

}  // namespace

int server_run(const Arguments& arguments, Context& context) {
  server::Config config;
  config.data_folder = arguments.text_or("data", ".slipway");
  parse_listen(arguments.text_or("listen", "127.0.0.1:5000"), config.host, config.port);
  config.hosts_allowed = arguments.list("allow-host");
  config.store = arguments.text_or("store", "");
  if (!config.store.empty() && !config.store.starts_with("postgresql://") &&
      !config.store.starts_with("postgres://")) {
    // What was given may hold a password, so it is not repeated.
    throw Error(Code::kInvalidArgument,
                "`--store`: write postgresql://USER@HOST:PORT/DATABASE; without it the store is "
                "SQLite in the data folder");
  }
  const std::string durability = arguments.text_or("durability", "kill");
  if (durability != "kill" && durability != "power") {
    throw Error(
        Code::kInvalidArgument,
        "`--durability " + durability + "`: kill (survives kill -9) or power (and a power cut)");
  }
  config.default_permission = arguments.text_or("default-permission", config.default_permission);
  config.durability =
      durability == "power" ? storage::Durability::kPower : storage::Durability::kKill;

  // Blocked before any thread starts, so that only sigwait below sees them.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);

  log::set_level(log::Level::kInfo);
  server::Server server(config);
  server.start();
  context.err << "data in " << server.data_folder() << "\n";
  context.out << "listening on " << server.url() << std::endl;
  int signal = 0;
  sigwait(&signals, &signal);
  log::info("draining", {{"signal", std::to_string(signal)}});
  server.stop(kDrainMs);
  return kDone;
}

}  // namespace slipway::cli

// SPDX-License-Identifier: Apache-2.0
// A closed-loop load driver: each client sends, waits for the answer, sends again.
//   load URL WORK --clients N --seconds S [--keys K --steps S --runs R] [--path P --body FILE]
// Prints one line of JSON: what was done in the time, latencies, errors and the driver's own CPU.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <system_error>
#include <unistd.h>
#include <utility>
#include <vector>

#include "load/http_client.h"
#include "load/work.h"

namespace slipway::bench {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::size_t kReceiveBytes = 65536;
constexpr int kEventsMax = 64;
constexpr int kPollMs = 10;

// One connection with its work; driven by one thread.
class Client {
 public:
  Client(const Target& target, std::unique_ptr<Work> work)
      : socket_(target), work_(std::move(work)), buffer_(kReceiveBytes, '\0') {
    socket_.set_nonblocking();
  }
  int fd() const { return socket_.fd(); }
  std::size_t units() const { return work_->units(); }
  std::size_t errors() const { return errors_; }
  const std::string& first_error() const { return first_error_; }
  const std::vector<std::uint32_t>& latencies_us() const { return latencies_us_; }

  void start() {
    request_ = work_->next();
    started_ = Clock::now();
    flush();
  }
  void flush() {
    while (!request_.empty()) {
      const ssize_t n = send(fd(), request_.data(), request_.size(), MSG_NOSIGNAL);
      if (n < 0 && errno == EAGAIN) return;
      if (n < 0) throw std::system_error(errno, std::generic_category(), "send");
      request_.remove_prefix(static_cast<std::size_t>(n));
    }
  }
  // Reads what came; true when an answer is complete and the next request may go.
  bool receive() {
    while (true) {
      const ssize_t n = recv(fd(), buffer_.data(), buffer_.size(), 0);
      if (n < 0 && errno == EAGAIN) break;
      if (n < 0) throw std::system_error(errno, std::generic_category(), "recv");
      if (n == 0) throw std::runtime_error("the server closed a connection");
      received_.append(buffer_, 0, static_cast<std::size_t>(n));
      if (static_cast<std::size_t>(n) < buffer_.size()) break;
    }
    const Answer answer = read_answer(received_);
    if (!answer.complete) return false;
    latencies_us_.push_back(static_cast<std::uint32_t>(
        std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - started_).count()));
    if (answer.status == 200) {
      work_->answered(answer.body);
    } else {
      if (errors_++ == 0)
        first_error_ =
            std::to_string(answer.status) + " " + std::string(answer.body.substr(0, 200));
    }
    if (!answer.keeps_alive) throw std::runtime_error("the server wants to close a connection");
    received_.erase(0, answer.bytes);
    return true;
  }

 private:
  Socket socket_;
  std::unique_ptr<Work> work_;
  std::string buffer_;
  std::string received_;
  std::string_view request_;
  Clock::time_point started_;
  std::vector<std::uint32_t> latencies_us_;
  std::size_t errors_ = 0;
  std::string first_error_;
};

class Poll {
 public:
  Poll() : fd_(epoll_create1(EPOLL_CLOEXEC)) {
    if (fd_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
  }
  ~Poll() { close(fd_); }
  Poll(const Poll&) = delete;
  Poll& operator=(const Poll&) = delete;

  // Edge-triggered: a client is told once that it may write or read again.
  void add(Client& client) {
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLET;
    event.data.ptr = &client;
    if (epoll_ctl(fd_, EPOLL_CTL_ADD, client.fd(), &event) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll_ctl");
  }
  template <typename OnEvent>
  void wait(int timeout_ms, OnEvent on_event) {
    epoll_event events[kEventsMax];
    const int n = epoll_wait(fd_, events, kEventsMax, timeout_ms);
    for (int i = 0; i < n; ++i)
      on_event(*static_cast<Client*>(events[i].data.ptr), events[i].events);
  }

 private:
  int fd_;
};

double driver_cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) * 1e-6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

using Clients = std::vector<std::unique_ptr<Client>>;

// All clients at once for that long, on this thread. Returns the seconds that it took.
double drive(const Clients& clients, double seconds) {
  Poll poll;
  for (const auto& client : clients) poll.add(*client);
  const Clock::time_point started = Clock::now();
  const auto end =
      started + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds));
  for (const auto& client : clients) client->start();
  while (Clock::now() < end) {
    poll.wait(kPollMs, [](Client& client, std::uint32_t events) {
      if ((events & EPOLLIN) != 0 && client.receive()) client.start();
      if ((events & EPOLLOUT) != 0) client.flush();
    });
  }
  return std::chrono::duration<double>(Clock::now() - started).count();
}

// One line of JSON. Returns the number of errors.
std::size_t report(const Clients& clients, double took_s, double driver_s) {
  std::vector<std::uint32_t> latencies;
  std::size_t units = 0;
  std::size_t errors = 0;
  std::string first_error;
  for (const auto& client : clients) {
    latencies.insert(latencies.end(), client->latencies_us().begin(), client->latencies_us().end());
    units += client->units();
    errors += client->errors();
    if (first_error.empty()) first_error = client->first_error();
  }
  if (!first_error.empty()) std::fprintf(stderr, "load: first error: %s\n", first_error.c_str());
  std::sort(latencies.begin(), latencies.end());
  const auto quantile_ms = [&](double q) {
    if (latencies.empty()) return 0.0;
    const auto last = static_cast<double>(latencies.size() - 1);
    return static_cast<double>(latencies[static_cast<std::size_t>(q * last)]) / 1000;
  };
  std::printf(
      "{\"units\":%zu,\"seconds\":%.3f,\"rate\":%.1f,\"calls\":%zu,\"errors\":%zu,\"p50_ms\":%.3f,"
      "\"p99_ms\":%.3f,\"max_ms\":%.3f,\"driver_cpu_s\":%.3f}\n",
      units, took_s, static_cast<double>(units) / took_s, latencies.size(), errors,
      quantile_ms(0.5), quantile_ms(0.99), quantile_ms(1), driver_s);
  return errors;
}

struct Asked {
  std::string url;
  std::string work;
  std::string body_file;
  std::size_t clients = 8;
  double seconds = 5;
  WorkOptions options;
};

void declare(CLI::App& app, Asked& asked) {
  app.add_option("url", asked.url)->required();
  app.add_option("work", asked.work)->required();
  app.add_option("--clients", asked.clients)->check(CLI::Range(1, 1000));
  app.add_option("--seconds", asked.seconds)->check(CLI::Range(0.1, 600.0));
  app.add_option("--keys", asked.options.keys)->check(CLI::Range(1, 1000));
  app.add_option("--steps", asked.options.steps)->check(CLI::Range(1, 1000));
  app.add_option("--runs", asked.options.runs)->check(CLI::Range(1, 100'000));
  app.add_option("--path", asked.options.path);
  app.add_option("--body", asked.body_file);
}

std::string whole_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw std::invalid_argument("cannot read " + path);
  return {std::istreambuf_iterator<char>(in), {}};
}

int run(int argc, char** argv) {
  CLI::App app("load driver of bench/");
  Asked asked;
  declare(app, asked);
  CLI11_PARSE(app, argc, argv);
  if (!asked.body_file.empty()) asked.options.body = whole_file(asked.body_file);
  const Target target = parse_target(asked.url);
  const MakeWork make = work_named(asked.work, target, asked.options);
  Clients clients;
  for (std::size_t i = 0; i < asked.clients; ++i)
    clients.push_back(std::make_unique<Client>(target, make(i)));
  const double cpu_before_s = driver_cpu_s();
  const double took_s = drive(clients, asked.seconds);
  return report(clients, took_s, driver_cpu_s() - cpu_before_s) == 0 ? 0 : 1;
}

}  // namespace
}  // namespace slipway::bench

int main(int argc, char** argv) {
  try {
    return slipway::bench::run(argc, argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "load: %s\n", e.what());
    return 1;
  }
}

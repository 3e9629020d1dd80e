// SPDX-License-Identifier: Apache-2.0
#include "pipeline/environment.h"

#include <cstdlib>
#include <optional>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "base/file.h"
#include "base/id.h"

namespace slipway::pipeline {
namespace {

namespace fs = std::filesystem;

constexpr TimeUs kTimeoutUs = 60 * kMicrosPerSecond;

std::optional<fs::path> find_in_path(const std::string& name) {
  const char* variable = std::getenv("PATH");
  const std::string path = variable == nullptr ? "" : variable;
  for (std::size_t start = 0; start <= path.size();) {
    const std::size_t end = std::min(path.find(':', start), path.size());
    const fs::path candidate = fs::path(path.substr(start, end - start)) / name;
    if (!candidate.parent_path().empty() && ::access(candidate.c_str(), X_OK) == 0)
      return candidate;
    start = end + 1;
  }
  return std::nullopt;
}

std::string time_of(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return "-";
  return std::to_string(status.st_mtim.tv_sec) + "." + std::to_string(status.st_mtim.tv_nsec);
}

// Installing a package changes the times of the folders that hold packages.
std::string fingerprint_of(const fs::path& python) {
  std::string text = python.string() + " " + time_of(python);
  std::error_code fault;
  for (const char* lib : {"lib", "local/lib"}) {
    for (const fs::directory_entry& entry :
         fs::directory_iterator(python.parent_path().parent_path() / lib, fault)) {
      if (!entry.path().filename().string().starts_with("python")) continue;
      for (const char* folder : {"site-packages", "dist-packages"})
        text += " " + time_of(entry.path() / folder);
    }
  }
  return sha256_hex(text);
}

std::optional<std::string> output_of(ProcessRunner& processes, const fs::path& python,
                                     std::vector<std::string> arguments) {
  Command command;
  command.argv = {python.string()};
  command.argv.insert(command.argv.end(), arguments.begin(), arguments.end());
  command.timeout_us = kTimeoutUs;
  command.environment = {{"PIP_DISABLE_PIP_VERSION_CHECK", "1"}, {"PYTHONDONTWRITEBYTECODE", "1"}};
  try {
    const Outcome outcome = processes.run(command);
    if (outcome.exit_code != 0) return std::nullopt;
    return outcome.output;
  } catch (const Error&) {
    return std::nullopt;  // no such interpreter after all: the fact is absent
  }
}

void add_python(ProcessRunner& processes, const fs::path& cache_file, json::Object& facts) {
  std::optional<fs::path> python = find_in_path("python");
  if (!python) python = find_in_path("python3");
  if (!python) return;
  const std::string fingerprint = fingerprint_of(*python);
  try {
    if (const std::optional<std::string> text = read_file_if_exists(cache_file)) {
      const json::Value known = json::parse(*text);
      const json::Value* before = known.find("fingerprint");
      if (before != nullptr && *before == json::Value(fingerprint)) {
        for (const char* key : {"python", "python_packages"}) {
          if (const json::Value* value = known.find(key)) facts.set(key, *value);
        }
        return;
      }
    }
  } catch (const Error&) {
    // A damaged cache is found out anew.
  }
  json::Object fresh{{"fingerprint", fingerprint}};
  const auto version = output_of(
      processes, *python, {"-c", "import platform; print(platform.python_version(), end='')"});
  if (version) fresh.set("python", *version);
  if (const auto list = output_of(processes, *python, {"-m", "pip", "list", "--format=freeze"})) {
    fresh.set("python_packages", "sha256:" + sha256_hex(*list));
  }
  for (const json::Member& member : fresh) {
    if (member.first != "fingerprint") facts.set(member.first, member.second);
  }
  try {
    std::error_code fault;
    fs::create_directories(cache_file.parent_path(), fault);
    write_file_atomic(cache_file, json::write(fresh));
  } catch (const Error&) {
    // Only time is lost.
  }
}

std::optional<std::string> processor() {
  const std::optional<std::string> text = read_file_if_exists("/proc/cpuinfo");
  if (!text) return std::nullopt;
  const std::size_t start = text->find("model name");
  const std::size_t colon = start == std::string::npos ? start : text->find(": ", start);
  if (colon == std::string::npos) return std::nullopt;
  return text->substr(colon + 2, text->find('\n', colon) - colon - 2);
}

std::optional<std::string> system_name() {
  const std::optional<std::string> text = read_file_if_exists("/etc/os-release");
  if (!text) return std::nullopt;
  constexpr std::string_view kKey = "PRETTY_NAME=\"";
  const std::size_t start = text->find(kKey);
  if (start == std::string::npos) return std::nullopt;
  const std::size_t first = start + kKey.size();
  return text->substr(first, text->find('"', first) - first);
}

}  // namespace

json::Object environment_facts(ProcessRunner& processes, const fs::path& cache_file) {
  json::Object facts;
  if (const auto name = system_name()) facts.set("os", *name);
  struct utsname system {};
  if (::uname(&system) == 0)
    facts.set("kernel", std::string(system.sysname) + " " + system.release + " " + system.machine);
  if (const auto name = processor()) facts.set("cpu", *name);
  facts.set("cpus", static_cast<std::int64_t>(std::thread::hardware_concurrency()));
  add_python(processes, cache_file, facts);
  return facts;
}

}  // namespace slipway::pipeline

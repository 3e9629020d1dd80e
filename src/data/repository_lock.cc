// SPDX-License-Identifier: Apache-2.0
#include "data/repository_lock.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <thread>
#include <unistd.h>

#include "base/error.h"
#include "json/value.h"

namespace slipway::data {
namespace {

namespace fs = std::filesystem;

// flock on `file`, as often as told; an empty Fd when somebody else has it all the time.
Fd take_flock(const fs::path& file, int attempts) {
  std::error_code made;
  fs::create_directories(file.parent_path(), made);
  Fd fd(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666));
  if (!fd) throw errno_error(errno, "cannot open `" + file.string() + "`");
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (attempt > 0)
      std::this_thread::sleep_for(std::chrono::milliseconds(RepositoryLock::kPauseMs));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) {
      const std::string holder =
          " " + std::to_string(::getpid()) + "\n";  // as DVC writes it, for people who look
      if (::ftruncate(fd.get(), 0) == 0 &&
          ::pwrite(fd.get(), holder.data(), holder.size(), 0) < 0) {
        throw errno_error(errno, "cannot write `" + file.string() + "`");
      }
      return fd;
    }
    if (errno != EWOULDBLOCK && errno != EINTR)
      throw errno_error(errno, "cannot lock `" + file.string() + "`");
  }
  return Fd();
}

[[noreturn]] void throw_busy() {
  throw Error(Code::kConflict,
              "Unable to acquire lock. Most likely another DVC process is running or was "
              "terminated abruptly. Check the page "
              "<https://dvc.org/doc/user-guide/troubleshooting#lock-issue> for other possible "
              "reasons and to learn how to "
              "resolve this.");
}

bool overlap(const std::string& a, const std::string& b) {
  const std::string& shorter = a.size() < b.size() ? a : b;
  const std::string& longer = a.size() < b.size() ? b : a;
  return longer.starts_with(shorter) &&
         (longer.size() == shorter.size() || longer[shorter.size()] == '/');
}

bool is_alive(const json::Value& info) {
  const json::Value* pid = info.find("pid");
  return pid != nullptr && pid->is_integer() &&
         (::kill(static_cast<pid_t>(pid->as_int()), 0) == 0 || errno == EPERM);
}

json::Value load(const fs::path& file) {
  const std::string text = read_file_if_exists(file).value_or("");
  if (text.empty()) return json::Object{{"read", json::Object{}}, {"write", json::Object{}}};
  try {
    json::Value value = json::parse(text);
    if (value.is_object()) {
      for (const char* mode : {"write", "read"}) {
        if (value.find(mode) == nullptr) value.as_object().set(mode, json::Object{});
      }
      return value;
    }
  } catch (const Error&) {
    // Reported below with the file's name.
  }
  throw Error(Code::kDataLoss,
              "Unable to read RWLock-file '" + file.string() + "'. JSON structure is corrupted");
}

std::vector<json::Value> holders_of(const json::Value& entry) {
  if (entry.is_array()) return entry.as_array();
  if (entry.is_object() && !entry.as_object().empty()) return {entry};
  return {};
}

void check_blockers(const json::Value& state, const char* mode, const std::vector<fs::path>& wanted,
                    const json::Value& self, const fs::path& tmp_dir) {
  for (const json::Member& entry : state.find(mode)->as_object()) {
    const auto waiter = std::find_if(wanted.begin(), wanted.end(), [&](const fs::path& path) {
      return overlap(path.string(), entry.first);
    });
    if (waiter == wanted.end()) continue;
    for (const json::Value& holder : holders_of(entry.second)) {
      if (holder == self || !is_alive(holder)) continue;
      const json::Value* command = holder.find("cmd");
      throw Error(Code::kConflict,
                  "'" + waiter->string() + "' is busy, it is being blocked by:\n  (PID " +
                      std::to_string(holder.find("pid")->as_int()) + "): " +
                      (command != nullptr && command->is_string() ? command->as_string() : "") +
                      "\n\nIf there are no processes with such PIDs, you can manually remove '" +
                      tmp_dir.string() + "/rwlock' and try again.");
    }
  }
}

// Without dead holders, and without `self` for `paths`.
json::Object cleaned(const json::Object& entries, const std::vector<fs::path>& paths,
                     const json::Value& self) {
  json::Object kept;
  for (const json::Member& entry : entries) {
    const bool ours = std::any_of(paths.begin(), paths.end(), [&](const fs::path& path) {
      return path.string() == entry.first;
    });
    json::Array holders;
    for (const json::Value& holder : holders_of(entry.second)) {
      if (is_alive(holder) && !(ours && holder == self)) holders.push_back(holder);
    }
    if (holders.empty()) continue;
    kept.set(entry.first,
             entry.second.is_array() ? json::Value(std::move(holders)) : holders.front());
  }
  return kept;
}

json::Value info_of(const std::string& command_line) {
  return json::Object{{"pid", std::int64_t{::getpid()}}, {"cmd", command_line}};
}

}  // namespace

RepositoryLock::RepositoryLock(const fs::path& tmp_dir) : file_(tmp_dir / "lock") { lock(); }

RepositoryLock::~RepositoryLock() = default;

void RepositoryLock::unlock() { fd_.reset(); }

void RepositoryLock::lock() {
  if (fd_) return;
  fd_ = take_flock(file_, kAttempts);
  if (!fd_) throw_busy();
}

PathLock::PathLock(fs::path tmp_dir, std::string command_line, std::vector<fs::path> read,
                   std::vector<fs::path> write)
    : tmp_dir_(std::move(tmp_dir)),
      command_line_(std::move(command_line)),
      read_(std::move(read)),
      write_(std::move(write)) {
  const Fd guard = take_flock(tmp_dir_ / "rwlock.lock", RepositoryLock::kAttempts);
  if (!guard) throw_busy();
  json::Value state = load(tmp_dir_ / "rwlock");
  const json::Value self = info_of(command_line_);
  std::vector<fs::path> all = read_;
  all.insert(all.end(), write_.begin(), write_.end());
  check_blockers(state, "write", all, self, tmp_dir_);
  check_blockers(state, "read", write_, self, tmp_dir_);
  json::Object readers = cleaned(state.find("read")->as_object(), read_, self);
  json::Object writers = cleaned(state.find("write")->as_object(), write_, self);
  for (const fs::path& path : read_) {
    json::Value* holders = readers.find(path.string());
    if (holders == nullptr) {
      readers.set(path.string(), json::Array{self});
    } else {
      holders->as_array().push_back(self);
    }
  }
  for (const fs::path& path : write_) writers.set(path.string(), self);
  write_file_atomic(tmp_dir_ / "rwlock",
                    json::write(json::Object{{"write", writers}, {"read", readers}},
                                {.python_separators = true}));
}

PathLock::~PathLock() {
  try {
    const Fd guard = take_flock(tmp_dir_ / "rwlock.lock", RepositoryLock::kAttempts);
    if (!guard) return;  // the entry dies with this process
    const json::Value state = load(tmp_dir_ / "rwlock");
    const json::Value self = info_of(command_line_);
    const json::Object readers = cleaned(state.find("read")->as_object(), read_, self);
    const json::Object writers = cleaned(state.find("write")->as_object(), write_, self);
    write_file_atomic(tmp_dir_ / "rwlock",
                      json::write(json::Object{{"write", writers}, {"read", readers}},
                                  {.python_separators = true}));
  } catch (const Error&) {
    // A destructor cannot report it; the next process removes entries of processes that are gone.
  }
}

}  // namespace slipway::data

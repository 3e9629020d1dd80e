// SPDX-License-Identifier: Apache-2.0
#include "server/data_folder.h"

#include <cerrno>
#include <csignal>
#include <fcntl.h>
#include <limits>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "access/token.h"
#include "base/error.h"
#include "json/value.h"

namespace slipway::server {

DataFolder::DataFolder(const std::filesystem::path& path)
    : path_(std::filesystem::absolute(path).lexically_normal()) {
  std::error_code fault;
  const bool made = std::filesystem::create_directories(path_, fault);
  if (fault)
    throw errno_error(fault.value(), "cannot make the data folder `" + path_.string() + "`");
  if (made) ::chmod(path_.c_str(), 0700);  // a folder that was there keeps what its owner chose
  lock_ = Fd(::open((path_ / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
  if (!lock_) throw errno_error(errno, "cannot open `" + (path_ / "lock").string() + "`");
  if (::flock(lock_.get(), LOCK_EX | LOCK_NB) != 0) {
    const auto other = find_announcement(path_);
    throw Error(
        Code::kConflict,
        "another server runs on the data folder `" + path_.string() + "`" +
            (other ? ": " + other->url + ", process " + std::to_string(other->pid) : std::string()),
        other ? "SLIPWAY_URL=" + other->url + " slipway …   uses that one"
              : "--data DIR starts one on another folder");
  }
  // Of a server that was killed. Here, and not when announce() overwrites it, which a full disk can
  // keep from happening: whoever has that process's number or port by now is not this server.
  ::unlink((path_ / "server.json").c_str());
  if (!std::filesystem::exists(path_ / ".gitignore"))
    write_file_atomic(path_ / ".gitignore", "*\n");
  token_ = access::load_or_create_token(path_);
}

DataFolder::~DataFolder() { ::unlink((path_ / "server.json").c_str()); }

void DataFolder::announce(const std::string& url) const {
  write_file_atomic(
      path_ / "server.json",
      json::write(json::Object{{"url", url}, {"pid", static_cast<std::int64_t>(::getpid())}}) +
          "\n",
      false, 0600);
}

std::optional<Announcement> find_announcement(const std::filesystem::path& folder) {
  const auto text = read_file_if_exists(folder / "server.json");
  if (!text) return std::nullopt;
  try {
    const json::Value facts = json::parse(*text);
    const json::Value* const url = facts.find("url");
    const json::Value* const pid = facts.find("pid");
    if (url == nullptr || !url->is_string() || pid == nullptr ||
        pid->kind() != json::Value::Kind::kInt)
      return std::nullopt;
    if (pid->as_int() < 1 || pid->as_int() > std::numeric_limits<int>::max()) return std::nullopt;
    const int process = static_cast<int>(pid->as_int());
    if (::kill(process, 0) != 0 && errno == ESRCH) return std::nullopt;
    return Announcement{url->as_string(), process};
  } catch (const Error&) {
    return std::nullopt;  // half a file of a killed process says nothing
  }
}

}  // namespace slipway::server

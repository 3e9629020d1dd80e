// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/mutex.h"
#include "http/message.h"

namespace slipway::http {

// When this many bytes wait, the connection stops reading from its client until the handler has
// taken them.
inline constexpr std::size_t kBodyQueueBytesMax = 512U << 10;

// A body on its way from the io thread to the pool thread that reads it. Holds at most
// kBodyQueueBytesMax and one network read on each side. One writer (io thread), one reader (pool
// thread).
class BodyQueue final : public BodyReader {
 public:
  // `drained` is called on the reader's thread after push() had returned false and there is room
  // again.
  explicit BodyQueue(std::function<void()> drained) : drained_(std::move(drained)) {}

  std::size_t read(char* buffer, std::size_t size) override;

  // Writer's side. False: full, stop reading until `drained`.
  bool push(std::string_view bytes) EXCLUDES_LOCK(mutex_);
  void finish() EXCLUDES_LOCK(mutex_);
  // The reader gets the error instead of what it has not read yet. The first end (finish or fail)
  // holds.
  void fail(Error error) EXCLUDES_LOCK(mutex_);

 private:
  const std::function<void()> drained_;
  // The reader's alone.
  std::string taken_;
  std::size_t taken_at_ = 0;

  Mutex mutex_;
  CondVar wake_;
  std::string waiting_ GUARDED_BY(mutex_);
  bool paused_ GUARDED_BY(mutex_) = false;
  bool finished_ GUARDED_BY(mutex_) = false;
  std::optional<Error> error_ GUARDED_BY(mutex_);
};

}  // namespace slipway::http

// SPDX-License-Identifier: Apache-2.0
#include "storage/read_pool.h"

#include <utility>

namespace slipway::storage {

// A connection of the pool; goes back however the work ends.
class ReadPool::Loan {
 public:
  explicit Loan(ReadPool& pool) : pool_(pool) {
    std::unique_lock<std::mutex> lock(pool.mutex_);
    pool.freed_.wait(lock, [&] { return !pool.free_.empty() || pool.made_ < pool.readers_max_; });
    if (pool.free_.empty()) {
      ++pool.made_;
      return;
    }
    reader_ = std::move(pool.free_.back());
    pool.free_.pop_back();
  }
  Loan(const Loan&) = delete;
  ~Loan() {
    {
      const std::lock_guard lock(pool_.mutex_);
      if (reader_)
        pool_.free_.push_back(std::move(reader_));
      else
        --pool_.made_;
    }
    pool_.freed_.notify_one();
  }

  Session::State& reader() {
    if (!reader_) reader_ = std::make_unique<Session::State>(pool_.open_());
    return *reader_;
  }

 private:
  ReadPool& pool_;
  std::unique_ptr<Session::State> reader_;
};

ReadPool::ReadPool(Open open, int readers_max)
    : open_(std::move(open)), readers_max_(readers_max) {}

void ReadPool::read(const std::function<void(Session&)>& work) {
  Loan loan(*this);
  Session::State& reader = loan.reader();
  reader.connection->begin();
  struct EndRead {
    Connection& connection;
    ~EndRead() { connection.end(); }
  } end_read{*reader.connection};
  Session session(&reader);
  work(session);
}

}  // namespace slipway::storage

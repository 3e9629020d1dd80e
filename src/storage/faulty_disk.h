// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <cstdint>
#include <cstring>
#include <sqlite3.h>

namespace slipway::storage {

// SQLite's door to the disk, faulty on demand: while one of these lives, it is the default of all
// connections that are opened. It passes everything on to the real one, counts, and fails what it
// is told to fail. One at a time; it must outlive the connections made meanwhile.
class FaultyDisk {
 public:
  FaultyDisk() : real_(sqlite3_vfs_find(nullptr)), vfs_(*real_) {
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.zName = "faulty";
    vfs_.pNext = nullptr;
    vfs_.pAppData = this;
    vfs_.xOpen = &open;
    sqlite3_vfs_register(&vfs_, 1);
  }
  ~FaultyDisk() {
    sqlite3_vfs_unregister(&vfs_);
    sqlite3_vfs_register(real_, 1);
  }
  FaultyDisk(const FaultyDisk&) = delete;
  FaultyDisk& operator=(const FaultyDisk&) = delete;

  std::atomic<int> syncs_to_fail{0};         // of database files, the next so many
  std::atomic<int> writes_to_fail{0};        // likewise
  std::atomic<std::int64_t> temporaries{0};  // files that SQLite sorted in

 private:
  struct File {
    sqlite3_file base;
    FaultyDisk* disk;
    bool is_database;
    sqlite3_file* real() { return static_cast<sqlite3_file*>(static_cast<void*>(this + 1)); }
  };
  static File* of(sqlite3_file* file) { return static_cast<File*>(static_cast<void*>(file)); }

  static int open(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* const disk = static_cast<FaultyDisk*>(vfs->pAppData);
    File* const opened = of(file);
    opened->base.pMethods = nullptr;
    opened->disk = disk;
    opened->is_database = (flags & SQLITE_OPEN_MAIN_DB) != 0;
    if ((flags & SQLITE_OPEN_TEMP_JOURNAL) != 0) ++disk->temporaries;
    std::memset(opened->real(), 0, static_cast<std::size_t>(disk->real_->szOsFile));
    const int code = disk->real_->xOpen(disk->real_, name, opened->real(), flags, out);
    if (code == SQLITE_OK) opened->base.pMethods = methods();
    return code;
  }

  static bool takes_one(std::atomic<int>& count) {
    int left = count.load();
    while (left > 0 && !count.compare_exchange_weak(left, left - 1)) {
    }
    return left > 0;
  }

  static int write(sqlite3_file* file, const void* from, int n, sqlite3_int64 at) {
    File* const opened = of(file);
    if (opened->is_database && takes_one(opened->disk->writes_to_fail)) return SQLITE_IOERR_WRITE;
    return opened->real()->pMethods->xWrite(opened->real(), from, n, at);
  }

  static int sync(sqlite3_file* file, int flags) {
    File* const opened = of(file);
    if (opened->is_database && takes_one(opened->disk->syncs_to_fail)) return SQLITE_IOERR_FSYNC;
    return opened->real()->pMethods->xSync(opened->real(), flags);
  }

  // The same call of the real file.
  template <auto Method, typename... Args>
  static auto pass(sqlite3_file* file, Args... args) {
    sqlite3_file* const real = of(file)->real();
    return (real->pMethods->*Method)(real, args...);
  }

  static const sqlite3_io_methods* methods() {
    using M = sqlite3_io_methods;
    static const M all = {
        3,
        [](sqlite3_file* f) { return pass<&M::xClose>(f); },
        [](sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
          return pass<&M::xRead>(f, to, n, at);
        },
        &write,
        [](sqlite3_file* f, sqlite3_int64 size) { return pass<&M::xTruncate>(f, size); },
        &sync,
        [](sqlite3_file* f, sqlite3_int64* size) { return pass<&M::xFileSize>(f, size); },
        [](sqlite3_file* f, int lock) { return pass<&M::xLock>(f, lock); },
        [](sqlite3_file* f, int lock) { return pass<&M::xUnlock>(f, lock); },
        [](sqlite3_file* f, int* held) { return pass<&M::xCheckReservedLock>(f, held); },
        [](sqlite3_file* f, int op, void* arg) { return pass<&M::xFileControl>(f, op, arg); },
        [](sqlite3_file* f) { return pass<&M::xSectorSize>(f); },
        [](sqlite3_file* f) { return pass<&M::xDeviceCharacteristics>(f); },
        [](sqlite3_file* f, int page, int size, int extend, void volatile** to) {
          return pass<&M::xShmMap>(f, page, size, extend, to);
        },
        [](sqlite3_file* f, int offset, int n, int flags) {
          return pass<&M::xShmLock>(f, offset, n, flags);
        },
        [](sqlite3_file* f) { of(f)->real()->pMethods->xShmBarrier(of(f)->real()); },
        [](sqlite3_file* f, int remove) { return pass<&M::xShmUnmap>(f, remove); },
        [](sqlite3_file* f, sqlite3_int64 at, int n, void** to) {
          return pass<&M::xFetch>(f, at, n, to);
        },
        [](sqlite3_file* f, sqlite3_int64 at, void* page) {
          return pass<&M::xUnfetch>(f, at, page);
        }};
    return &all;
  }

  sqlite3_vfs* real_;
  sqlite3_vfs vfs_;
};

}  // namespace slipway::storage

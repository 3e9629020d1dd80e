// SPDX-License-Identifier: Apache-2.0
// The three kinds of file that DVC and we share. The first byte chooses which.
#include <algorithm>
#include <filesystem>
#include <string>
#include <unistd.h>
#include <vector>

#include "data/config.h"
#include "data/tree.h"
#include "fuzz.h"
#include "pipeline/data_file.h"
#include "pipeline/lock_file.h"
#include "pipeline/pipeline_file.h"

namespace slipway {
namespace {

void read_lock(std::string_view text) {
  // The lock is read from a path: one in memory, since a run makes thousands of them.
  static const std::filesystem::path file =
      std::filesystem::path("/dev/shm") / ("slipway-fuzz-" + std::to_string(::getpid()) + ".lock");
  std::FILE* out = std::fopen(file.c_str(), "wb");
  fuzz::require(out != nullptr, "the lock's file can be made");
  (void)std::fwrite(text.data(), 1, text.size(), out);
  (void)std::fclose(out);
  std::string first;
  if (!fuzz::accepts([&] { first = pipeline::LockFile(file, "dvc.lock").text(); })) return;
  if (fuzz::lost_a_blank(first)) return;
  out = std::fopen(file.c_str(), "wb");
  (void)std::fwrite(first.data(), 1, first.size(), out);
  (void)std::fclose(out);
  fuzz::require(fuzz::accepts([&] {
                  fuzz::require(pipeline::LockFile(file, "dvc.lock").text() == first,
                                "a lock keeps its bytes");
                }),
                "a lock that is written can be read");
}

void read_pipeline(std::string_view text, std::string_view lock) {
  std::vector<pipeline::Stage> stages;
  if (!fuzz::accepts(
          [&] { stages = pipeline::parse_pipeline(text, "/repo/dvc.yaml", "dvc.yaml"); }))
    return;
  (void)fuzz::accepts([&] {
    const yaml::Node entry = yaml::parse(lock, "dvc.lock");
    for (pipeline::Stage& stage : stages) pipeline::fill_from_entry(entry, stage);
  });
  for (const pipeline::Stage& stage : stages) {
    if (!stage.is_data()) (void)pipeline::command_lines(stage.command);
  }
}

void read_data_file(std::string_view text) {
  pipeline::Stage stage;
  if (!fuzz::accepts([&] { stage = pipeline::parse_data_file(text, "/repo/a.dvc", "a.dvc"); }))
    return;
  fuzz::require(stage.is_data(), "a .dvc file has no command");
  std::string written;
  if (!fuzz::accepts([&] { written = pipeline::data_file_text(stage, text, "a.dvc"); })) return;
  pipeline::Stage again;
  fuzz::require(
      fuzz::accepts([&] { again = pipeline::parse_data_file(written, "/repo/a.dvc", "a.dvc"); }),
      "a .dvc file that is written can be read");
  fuzz::require(again.outs.size() == stage.outs.size(), "and has the same outputs");
}

void read_tree(std::string_view text) {
  data::Tree tree;
  if (!fuzz::accepts([&] { tree = data::parse_tree(text, "tree"); })) return;
  data::sort_tree(tree);
  const std::string bytes = data::tree_bytes(tree);
  fuzz::require(fuzz::accepts([&] {
                  fuzz::require(data::parse_tree(bytes, "tree") == tree, "a tree keeps its files");
                }),
                "a tree that is written can be read");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view text = fuzz::text_of(data + 1, size - 1);
  switch (data[0]) {
    case 'l': read_lock(text); break;
    case 'd': read_data_file(text); break;
    case 't': read_tree(text); break;
    case 'c': (void)fuzz::accepts([&] { (void)data::parse_config(text, "config"); }); break;
    default: {
      // A dvc.yaml, and behind a NUL the entry of a dvc.lock.
      const std::size_t nul = std::min(text.find('\0'), text.size());
      read_pipeline(text.substr(0, nul), text.substr(std::min(nul + 1, text.size())));
    }
  }
  return 0;
}

}  // namespace slipway

// SPDX-License-Identifier: Apache-2.0
#include "serving/onnx_file.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"

namespace slipway::serving {
namespace {

constexpr std::array<std::string_view, 6> kDomains{
    "", "ai.onnx", "ai.onnx.ml", "ai.onnx.preview.training", "ai.onnx.training", "com.microsoft"};

// Field numbers of onnx.proto.
namespace field {
constexpr std::uint32_t kModelIrVersion = 1, kModelProducer = 2, kModelGraph = 7, kModelOpset = 8,
                        kModelMetadata = 14, kModelFunctions = 25;
constexpr std::uint32_t kOpsetDomain = 1, kOpsetVersion = 2;
constexpr std::uint32_t kEntryKey = 1, kEntryValue = 2;
constexpr std::uint32_t kGraphNode = 1, kGraphInitializer = 5, kGraphSparse = 15;
constexpr std::uint32_t kSparseValues = 1, kSparseIndices = 2;
constexpr std::uint32_t kNodeAttribute = 5, kNodeDomain = 7;
constexpr std::uint32_t kAttributeTensor = 5, kAttributeGraph = 6, kAttributeTensors = 10,
                        kAttributeGraphs = 11, kAttributeSparse = 22, kAttributeSparses = 23;
constexpr std::uint32_t kTensorExternal = 13, kTensorLocation = 14;
constexpr std::uint32_t kFunctionNode = 7, kFunctionAttribute = 11, kFunctionOpset = 9;
}  // namespace field

[[noreturn]] void refuse(const std::string& what) { throw Error(Code::kInvalidArgument, what); }

struct WireField {
  std::uint32_t number = 0;
  std::uint64_t value = 0;  // of a varint
  std::string_view bytes;   // of a length-delimited field
  bool is_bytes = false;
};

// Walks the fields of one protobuf message.
class Wire {
 public:
  explicit Wire(std::string_view bytes) : rest_(bytes) {}

  bool next(WireField& out) {
    if (rest_.empty()) return false;
    const std::uint64_t tag = varint();
    out = {};
    if ((tag >> 3) == 0 || (tag >> 3) > 0x1FFFFFFF)
      refuse("not an ONNX model: a field number that cannot be");
    out.number = static_cast<std::uint32_t>(tag >> 3);
    switch (tag & 7) {
      case 0: out.value = varint(); break;
      case 1: take(8); break;
      case 5: take(4); break;
      case 2:
        out.is_bytes = true;
        out.bytes = take(varint());
        break;
      default: refuse("not an ONNX model: a wire type that cannot be");
    }
    return true;
  }

 private:
  std::uint64_t varint() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) refuse("not an ONNX model: the file ends within a number");
      const auto byte = static_cast<std::uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if ((byte & 0x80) == 0) return value;
    }
    refuse("not an ONNX model: a number of more than 64 bits");
  }
  std::string_view take(std::uint64_t size) {
    if (size > rest_.size()) refuse("not an ONNX model: the file ends within a field");
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  std::string_view rest_;
};

class Walker {
 public:
  OnnxFacts facts;

  void model(std::string_view bytes) {
    bool graph_seen = false;
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      switch (f.number) {
        case field::kModelIrVersion: facts.ir_version = static_cast<std::int64_t>(f.value); break;
        case field::kModelProducer: facts.producer = std::string(f.bytes.substr(0, 200)); break;
        case field::kModelOpset: opset(f.bytes); break;
        case field::kModelMetadata: {
          auto [key, value] = entry(f.bytes);
          facts.metadata[key] = value;
          break;
        }
        case field::kModelGraph:
          graph_seen = true;
          graph(f.bytes, 1);
          break;
        case field::kModelFunctions: function(f.bytes); break;
        default: break;
      }
    }
    if (!graph_seen || facts.ir_version <= 0) refuse("not an ONNX model: it has no graph");
    std::sort(facts.external_files.begin(), facts.external_files.end());
    facts.external_files.erase(
        std::unique(facts.external_files.begin(), facts.external_files.end()),
        facts.external_files.end());
  }

 private:
  void opset(std::string_view bytes) {
    std::string domain;
    std::int64_t version = 0;
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.number == field::kOpsetDomain) domain = std::string(f.bytes);
      if (f.number == field::kOpsetVersion) version = static_cast<std::int64_t>(f.value);
    }
    check_domain(domain);
    facts.opsets[domain] = version;
  }

  static void check_domain(std::string_view domain) {
    if (std::find(kDomains.begin(), kDomains.end(), domain) != kDomains.end()) return;
    refuse(
        "it uses operators of the domain `" + std::string(domain.substr(0, 100)) +
        "`, which would need a library of its own; only ONNX's own and com.microsoft are allowed");
  }

  static std::pair<std::string, std::string> entry(std::string_view bytes) {
    std::pair<std::string, std::string> pair;
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.number == field::kEntryKey) pair.first = std::string(f.bytes);
      if (f.number == field::kEntryValue) pair.second = std::string(f.bytes);
    }
    return pair;
  }

  void graph(std::string_view bytes, int depth) {
    if (depth > kModelDepthMax)
      refuse("its graphs are nested deeper than " + std::to_string(kModelDepthMax) + " levels");
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.number == field::kGraphNode) node(f.bytes, depth);
      if (f.number == field::kGraphInitializer) tensor(f.bytes);
      if (f.number == field::kGraphSparse) sparse(f.bytes);
    }
  }

  void function(std::string_view bytes) {
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.number == field::kFunctionNode) node(f.bytes, 1);
      if (f.number == field::kFunctionAttribute) attribute(f.bytes, 1);
      if (f.number == field::kFunctionOpset) opset(f.bytes);
    }
  }

  void node(std::string_view bytes, int depth) {
    if (++facts.nodes > kModelNodesMax)
      refuse("it has more than " + std::to_string(kModelNodesMax) + " nodes");
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.number == field::kNodeAttribute) attribute(f.bytes, depth);
      if (f.number == field::kNodeDomain) check_domain(f.bytes);
    }
  }

  void attribute(std::string_view bytes, int depth) {
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (!f.is_bytes) continue;
      if (f.number == field::kAttributeTensor || f.number == field::kAttributeTensors)
        tensor(f.bytes);
      if (f.number == field::kAttributeGraph || f.number == field::kAttributeGraphs)
        graph(f.bytes, depth + 1);
      if (f.number == field::kAttributeSparse || f.number == field::kAttributeSparses)
        sparse(f.bytes);
    }
  }

  void sparse(std::string_view bytes) {
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.is_bytes && (f.number == field::kSparseValues || f.number == field::kSparseIndices))
        tensor(f.bytes);
    }
  }

  void tensor(std::string_view bytes) {
    bool external = false;
    std::string location;
    Wire wire(bytes);
    for (WireField f; wire.next(f);) {
      if (f.number == field::kTensorLocation) external = f.value == 1;
      if (f.number == field::kTensorExternal) {
        external = true;
        auto [key, value] = entry(f.bytes);
        if (key == "location") location = value;
      }
    }
    if (!external) return;
    if (facts.external_files.empty() || facts.external_files.back() != location)
      facts.external_files.push_back(location);
    if (facts.external_files.size() > kExternalFilesMax) {
      refuse("its data are in more than " + std::to_string(kExternalFilesMax) + " other files");
    }
  }
};

void check_side_file(const std::filesystem::path& folder, const std::string& name) {
  const bool plain = is_safe_relative_path(name) && name.find('/') == std::string::npos;
  if (!plain) {
    refuse("it keeps data in `" + name.substr(0, 200) +
           "`, but only files beside the model, named without a folder, are read");
  }
  struct stat facts {};
  if (::lstat((folder / name).c_str(), &facts) != 0) {
    if (errno == ENOENT)
      refuse("its data file `" + name + "` is not beside it; log the whole folder");
    throw errno_error(errno, "cannot read `" + (folder / name).string() + "`");
  }
  if (!S_ISREG(facts.st_mode)) refuse("its data file `" + name + "` is not a regular file");
  if (static_cast<std::uint64_t>(facts.st_size) > kExternalBytesMax) {
    refuse("its data file `" + name + "` is longer than " +
           std::to_string(kExternalBytesMax >> 20) + " MiB");
  }
}

}  // namespace

OnnxFacts read_onnx_facts(std::string_view bytes) {
  Walker walker;
  walker.model(bytes);
  return std::move(walker.facts);
}

OnnxFacts check_onnx_file(const std::filesystem::path& file) {
  std::error_code fault;
  const std::uintmax_t size = std::filesystem::file_size(file, fault);
  if (fault) throw errno_error(fault.value(), "cannot read `" + file.string() + "`");
  if (size > kModelBytesMax)
    refuse("it is longer than " + std::to_string(kModelBytesMax >> 20) + " MiB");
  OnnxFacts facts = read_onnx_facts(read_file(file, kModelBytesMax));
  for (const std::string& name : facts.external_files) check_side_file(file.parent_path(), name);
  return facts;
}

}  // namespace slipway::serving

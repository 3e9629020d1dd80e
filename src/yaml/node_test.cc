// SPDX-License-Identifier: Apache-2.0
#include "yaml/node.h"

#include <gtest/gtest.h>

#include "base/error.h"

namespace slipway::yaml {
namespace {

std::string failure(const std::string& text) {
  try {
    (void)parse_documents(text, "f.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

TEST(Node, ReadsKindsInTheOrderOfTheFile) {
  const Node root = parse(
      "b: 1\na: [x, 'y', \"z\\n\"]\nc: {k: 1.5, n: , t: true}\nd: |\n  two\n  lines\n", "f.yaml");
  ASSERT_EQ(root.entries().size(), 4U);
  EXPECT_EQ(root.entries()[0].key.as_string(), "b");
  EXPECT_EQ(root.at("b").as_int(), 1);
  EXPECT_EQ(root.at("a").items()[2].as_string(), "z\n");
  EXPECT_EQ(root.at("c").at("k").as_double(), 1.5);
  EXPECT_TRUE(root.at("c").at("n").is_null());
  EXPECT_TRUE(root.at("c").at("t").as_bool());
  EXPECT_EQ(root.at("d").as_string(), "two\nlines\n");
  EXPECT_EQ(root.find("nope"), nullptr);
}

TEST(Node, KnowsWhereItStands) {
  const Node root = parse("a:\n  - x\n  - key: 5\n", "f.yaml");
  EXPECT_EQ(root.at("a").items()[1].at("key").where(), "f.yaml:3:10");
  EXPECT_EQ(root.at("a").items()[1].entries()[0].key.where(), "f.yaml:3:5");
}

TEST(Node, SeveralDocumentsInOneFile) {
  const std::vector<Node> all =
      parse_documents("kind: Model\n---\nkind: Gate\n...\n---\n", "f.yaml");
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[1].at("kind").as_string(), "Gate");
  EXPECT_EQ(all[1].at("kind").where(), "f.yaml:3:7");
  EXPECT_TRUE(all[2].is_null());
  EXPECT_TRUE(parse_documents("", "f.yaml").empty());
  EXPECT_TRUE(parse_documents("# nothing\n", "f.yaml").empty());
  EXPECT_EQ(failure("a: 1\n---\n[\n").substr(0, 7), "f.yaml:");
  EXPECT_THROW((void)parse("a: 1\n---\nb: 2\n", "f.yaml"), Error);
}

TEST(Node, AliasesAndMergeKeysAreExpanded) {
  const Node root = parse("base: &b {x: 1, y: 2}\nover:\n  y: 3\n  <<: *b\nsame: *b\n", "f.yaml");
  EXPECT_EQ(to_json_text(root),
            R"({"base":{"x":1,"y":2},"over":{"x":1,"y":3},"same":{"x":1,"y":2}})");
}

TEST(Node, ErrorsNameFileLineAndColumn) {
  EXPECT_EQ(failure("a: 1\nb: 2\na: 3\n"), "f.yaml:3:1: key `a` is there already, at line 1");
  EXPECT_EQ(failure("1: x\ntrue: y\n"), "f.yaml:2:1: key `true` is there already, at line 1");
  EXPECT_EQ(failure("a: *nope\n"), "f.yaml:1:4: alias `*nope` has no anchor before it");
  EXPECT_EQ(failure("a: !!python/object x\n"),
            "f.yaml:1:4: tag `tag:yaml.org,2002:python/object` is not supported for `x`");
  EXPECT_EQ(failure("[a, b]: 1\n"), "f.yaml:1:1: a key must be a single value, found a list");
  EXPECT_EQ(failure("a: \xff\n"), "f.yaml: is not UTF-8");
  EXPECT_NE(failure("a: [1, 2\nb: 3\n").find("is not valid YAML"), std::string::npos);
  EXPECT_EQ(failure("a: [1, 2\nb: 3\n"),
            "f.yaml:2:2: is not valid YAML: did not find expected ',' or ']', while parsing a flow "
            "sequence that begins at line 1");
  EXPECT_EQ(
      failure("a: 'open\nb: c\n"),
      "f.yaml:3:1: is not valid YAML: found unexpected end of stream, while scanning a quoted "
      "scalar that begins at line 1");
  EXPECT_EQ(failure("x: 1\n\ta: 1\n"),
            "f.yaml:2:1: is not valid YAML: found a tab character that violates indentation, while "
            "scanning a plain scalar that begins at line 1");
  EXPECT_NE(failure("a: 'open\n").find("is not valid YAML"), std::string::npos);
  EXPECT_NE(failure("\ta: 1\n").find("is not valid YAML"), std::string::npos);
}

TEST(Node, ExpectationsNameWhatWasFound) {
  const Node root = parse("a: [1]\nbig: 99999999999999999999\n", "f.yaml");
  const auto message = [](auto&& work) {
    try {
      work();
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(message([&] { (void)root.at("a").as_string(); }),
            "f.yaml:1:4: expected a text, found a list");
  EXPECT_EQ(message([&] { (void)root.at("c"); }), "f.yaml:1:1: key `c` is missing");
  EXPECT_EQ(message([&] { (void)root.at("big").as_int(); }),
            "f.yaml:2:6: integer 99999999999999999999 does not fit 64 bits");
  EXPECT_EQ(root.at("big").as_double(), 1e20);
  EXPECT_EQ(to_json_text(root), R"({"a":[1],"big":99999999999999999999})");
}

TEST(Node, UnknownKeysNameTheNearest) {
  const Node root = parse("kind: Endpoint\nfollow: champion\n", "slipway.yaml");
  try {
    require_known_keys(root, {"kind", "follows", "clock"}, "endpoint");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "slipway.yaml:2:1: unknown key `follow` in endpoint, did you mean `follows`?");
  }
  try {
    require_known_keys(root, {"kind", "x"}, "endpoint");
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(),
                 "slipway.yaml:2:1: unknown key `follow` in endpoint, expected one of `kind`, `x`");
  }
  require_known_keys(root, {"kind", "follow"}, "endpoint");
}

// The limits, each reached.
TEST(Node, NestingIsLimited) {
  const std::string deep(static_cast<std::size_t>(kDepthMax) + 1, '[');
  EXPECT_NE(failure(deep + std::string(deep.size(), ']')).find("is nested deeper than 100 levels"),
            std::string::npos);
  const std::string fine(static_cast<std::size_t>(kDepthMax), '[');
  EXPECT_EQ(failure(fine + std::string(fine.size(), ']')), "");
  EXPECT_NE(failure(std::string(1'000'000, '[')).find("nested deeper"), std::string::npos);
}

TEST(Node, ABillionLaughsAreRefused) {
  std::string text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string before = "*a" + std::to_string(i - 1);
    text += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) text += (k == 0 ? "" : ", ") + before;
    text += "]\n";
  }
  EXPECT_NE(failure(text).find("has more than 5000000 values, aliases expanded"),
            std::string::npos);
}

TEST(Node, TheNumberOfDocumentsAndBytesIsLimited) {
  std::string text;
  for (std::size_t i = 0; i <= kDocumentsMax; ++i) text += "---\n1\n";
  EXPECT_EQ(failure(text), "f.yaml: has more than 10000 documents");
  EXPECT_EQ(failure(std::string(kTextBytesMax + 1, '#')), "f.yaml: is longer than 67108864 bytes");
}

}  // namespace
}  // namespace slipway::yaml

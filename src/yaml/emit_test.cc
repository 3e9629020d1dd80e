// SPDX-License-Identifier: Apache-2.0
#include "yaml/emit.h"

#include <gtest/gtest.h>
#include <limits>

namespace slipway::yaml {
namespace {

// What `dvc` 3.67.1 writes for the value that the YAML on the left means.
std::string again(const std::string& text) { return emit(parse(text, "f.yaml")); }

TEST(Emit, ScalarsAreQuotedOnlyWhereTheyMustBe) {
  EXPECT_EQ(
      again(
          R"(a: ['1', 'true', 'null', '1e5', '0x1F', '# c', '- a', '', '~', '=', '2013-03-01', 'yes', 'on', '1:30', 'a: b', 'it''s'])"),
      "a:\n- '1'\n- 'true'\n- 'null'\n- '1e5'\n- '0x1F'\n- '# c'\n- '- a'\n- ''\n- '~'\n- '='\n- "
      "'2013-03-01'\n- yes\n- on\n- 1:30\n"
      "- 'a: b'\n- it's\n");
  EXPECT_EQ(again("a: \"two\\nlines\\ttab\"\nb: \"it's: quoted\"\nc: ü 日本 😀\n"),
            "a: \"two\\nlines\\ttab\"\nb: \"it's: quoted\"\nc: ü 日本 😀\n");
}

TEST(Emit, NumbersNullsAndEmptyCollections) {
  EXPECT_EQ(again("a: 1e-5\nb: 1e22\nc: 100000000.0\nd: -.inf\ne: .nan\nf: 0x1F\ng:\nh: []\ni: "
                  "{}\nj: [~, [[], 1], {x: ~}]\n"),
            "a: 1e-05\nb: 1e+22\nc: 100000000.0\nd: -.inf\ne: .nan\nf: 31\ng:\nh: []\ni: {}\nj:\n- "
            "\n- - []\n  - 1\n- x:\n");
}

TEST(Emit, LongPlainTextsFoldBehindColumn80WithTheirBlank) {
  const std::string word = "word-of-19-characters";
  std::string text = "cmd:";
  for (int i = 0; i < 6; ++i) text += " " + word;
  EXPECT_EQ(again(text + "\n"), "cmd: " + word + " " + word + " " + word + " \n  " + word + " " +
                                    word + " " + word + "\n");
}

TEST(Emit, LongQuotedTextsFoldWithoutIt) {
  EXPECT_EQ(again("a: '# 2345678 012345678 012345678 012345678 012345678 012345678 012345678 "
                  "012345678 012345678 end'\n"),
            "a: '# 2345678 012345678 012345678 012345678 012345678 012345678 012345678 012345678\n "
            " 012345678 end'\n");
  EXPECT_EQ(again("a: \"line one 345678 012345678 012345678 012345678\\nline two 678 012345678 "
                  "012345678 012345678 end\"\n"),
            "a: \"line one 345678 012345678 012345678 012345678\\nline two 678 012345678 "
            "012345678\n  012345678 end\"\n");
}

TEST(Emit, ACollectionReachedTwiceIsAnAnchor) {
  EXPECT_EQ(again("x: &a {k: 1}\ny: *a\nz: [*a, &b [1], *b]\n"),
            "x: &id001\n  k: 1\ny: *id001\nz:\n- *id001\n- &id002\n  - 1\n- *id002\n");
  EXPECT_EQ(again("x: &a {k: 1}\ny: &b text\nz: *b\n"), "x:\n  k: 1\ny: text\nz: text\n");
}

TEST(Emit, LongKeysAreExplicit) {
  const std::string key(130, 'k');
  EXPECT_EQ(again("? " + key + "\n: 1\n"), "? " + key + "\n: 1\n");
}

TEST(Emit, LineBreaksThatReadersDisagreeAboutAreEscaped) {
  EXPECT_EQ(again("a: \"x\\Ly\\Pz\\N\"\n"), "a: \"x\\Ly\\Pz\\N\"\n");
}

TEST(Emit, ATextAloneStaysInOneLine) {
  const std::string text = std::string(90, 'x') + " --- y";
  EXPECT_EQ(emit(Node::string(text)), text + "\n");
  EXPECT_EQ(parse(emit(Node::string(text)), "f").as_string(), text);
}

// DVC writes both.
TEST(Emit, ReadsBackFoldedBackslashesAndEmptyItems) {
  EXPECT_EQ(parse("a: \"x \\\\\\\n  y\"\n", "f").at("a").as_string(), "x \\y");
  EXPECT_EQ(again("a:\n- \n- 1\nb: 2\n"), "a:\n- \n- 1\nb: 2\n");
}

}  // namespace
}  // namespace slipway::yaml

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "base/error.h"
#include "yaml/node.h"

namespace slipway::yaml {
namespace {

struct Reading {
  std::string text;
  std::string json;
};

void expect_readings(const std::vector<Reading>& readings) {
  for (const Reading& reading : readings) {
    try {
      EXPECT_EQ(to_json_text(parse(reading.text, "f.yaml")), reading.json) << reading.text;
    } catch (const Error& error) {
      ADD_FAILURE() << reading.text << "\n" << error.what();
    }
  }
}

std::string refusal(const std::string& text) {
  try {
    (void)parse_documents(text, "f.yaml");
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// Every reading in this file is ruamel.yaml 0.19.1's, typ="safe", unless a line says otherwise.
TEST(Parse, ABlockTextMayBeEmpty) {
  expect_readings({{"a: |\nb: 1\n", R"({"a":"","b":1})"},
                   {"a: >\nb: 1\n", R"({"a":"","b":1})"},
                   {"a: |+\nb: 1\n", R"({"a":"","b":1})"},
                   {"a: |\n\nb: 1\n", R"({"a":"","b":1})"},
                   {"a: |+\n\nb: 1\n", R"({"a":"\u000a","b":1})"},
                   {"a: |2\nb: 1\n", R"({"a":"","b":1})"},
                   {"a: |\n# comment\nb: 1\n", R"({"a":"","b":1})"},
                   {"a: |", R"({"a":""})"},
                   {"a: |\n", R"({"a":""})"},
                   {"a: |\n  \n", R"({"a":""})"},
                   {"- |\n- b\n", R"(["","b"])"},
                   {"- >\n- - |\n  - c\n", R"(["",["","c"]])"},
                   {"a:\n  b: |\n  c: 1\n", R"({"a":{"b":"","c":1}})"},
                   {"a:\n  b: |\nc: 1\n", R"({"a":{"b":""},"c":1})"},
                   {"stages:\n  s:\n    cmd: |\n    deps:\n    - |\n    - x\n    desc: >-\n",
                    R"({"stages":{"s":{"cmd":"","deps":["","x"],"desc":""}}})"},
                   {"|\n", R"("")"},
                   {"!!str |\n", R"("")"}});
}

TEST(Parse, BlockTextsEndWhereTheyEnd) {
  expect_readings({{"a: |\n  x", R"({"a":"x"})"},  // no line break in the file, none in the text
                   {"a: >\n  x", R"({"a":"x"})"},
                   {"a: |\n  x\n", R"({"a":"x\u000a"})"},
                   {"a: |-\n  x\n\n\n", R"({"a":"x"})"},
                   {"a: |+\n  x\n\n\nb: 1\n", R"({"a":"x\u000a\u000a\u000a","b":1})"},
                   {"a: |\n  x\n   y\n  z\n", R"({"a":"x\u000a y\u000az\u000a"})"},
                   {"a: |1\n  x\n y\n", R"({"a":" x\u000ay\u000a"})"},
                   {"a: |-2 # why\n    x\n", R"({"a":"  x"})"},
                   {"a: |\n  # text\n # comment\nb: 1\n", R"({"a":"# text\u000a","b":1})"},
                   {"a:\n- |\n x\n- y\n", R"({"a":["x\u000a","y"]})"},
                   {"a: |\r\n  x\r\n  y\r\n", R"({"a":"x\u000ay\u000a"})"}});
}

TEST(Parse, FoldedTextsKeepTheLinesThatAreDeeper) {
  expect_readings({{"a: >\n  x\n  y\n\n  z\n", R"({"a":"x y\u000az\u000a"})"},
                   {"a: >+\n  x\n\n   y\n  z\n\n", R"({"a":"x\u000a\u000a y\u000az\u000a\u000a"})"},
                   {"a: >-\n  x\n  \ty\n  z\n", R"({"a":"x\u000a\u0009y\u000az"})"},
                   {"a: >\n\n  x\n", R"({"a":"\u000ax\u000a"})"}});
}

TEST(Parse, QuotedTextsFold) {
  expect_readings({{"a: 'it''s'\n", R"({"a":"it's"})"},
                   {"a: 'x  \n\n   y'\n", R"({"a":"x\u000ay"})"},
                   {"a: '\n  x\n  '\n", R"({"a":" x "})"},
                   {"a: \"x \\\n  \\ y\"\n", R"({"a":"x  y"})"},
                   {"a: \"x \\\\\\\n  y\"\n", R"({"a":"x \\y"})"},
                   {"\"a\\tb\": \"\\u00fc\\x41\"\n", "{\"a\\u0009b\":\"üA\"}"},
                   {"a: \"x\ny\"\n", R"({"a":"x y"})"}});  // not indented: read all the same
}

TEST(Parse, PlainTextsGoOnInDeeperLines) {
  expect_readings({{"a: x\n  y\n\n  z\nb: 1\n", R"({"a":"x y\u000az","b":1})"},
                   {"a: x # comment\n", R"({"a":"x"})"},
                   {"a: x#y\n", R"({"a":"x#y"})"},
                   {"a: http://h/p?q=1\n", R"({"a":"http://h/p?q=1"})"},
                   {"a: -x\nb: ?y\nc: :z\n", R"({"a":"-x","b":"?y","c":":z"})"},
                   {"x\ny\n", R"("x y")"},
                   {"- a\n- b\n  c\n", R"(["a","b c"])"}});
}

TEST(Parse, CollectionsNest) {
  expect_readings(
      {{"a:\n- 1\n-\n- b: 2\n  c: 3\nd:\n", R"({"a":[1,null,{"b":2,"c":3}],"d":null})"},
       {"- - - x\n  - y\n", R"([[["x"],"y"]])"},
       {"? a\n: b\n? c\n", R"({"a":"b","c":null})"},
       {"? |\n  a\n: - b\n", R"({"a\u000a":["b"]})"},
       {"a: [x, [y], {z: 1, 'w':2}, [p: q], ]\n", R"({"a":["x",["y"],{"z":1,"w":2},[{"p":"q"}]]})"},
       {"{a, b: , ? c : d}\n", R"({"a":null,"b":null,"c":"d"})"},
       {"a: [\n  x, # c\n  y\n]\nb: {\n}\n", R"({"a":["x","y"],"b":{}})"},
       {"a: &x\n  b: 1\nc: *x\nd: &y\n", R"({"a":{"b":1},"c":{"b":1},"d":null})"},
       {"&k a: !!str 1\n!!str 2: b\n", R"({"a":"1","2":"b"})"}});
}

TEST(Parse, WhatDoesNotFitIsRefusedWithItsPlace) {
  const auto expect = [](const std::string& text, const std::string& message) {
    EXPECT_EQ(refusal(text), message) << text;
  };
  expect("a: b: c\n",
         "f.yaml:1:5: is not valid YAML: mapping values are not allowed in this context");
  expect("a: - b\n",
         "f.yaml:1:4: is not valid YAML: block sequence entries are not allowed in this context");
  expect("a:\n  b: 1\n c: 2\n",
         "f.yaml:3:2: is not valid YAML: did not find expected key, while parsing a block mapping "
         "that begins at line 1");
  expect("- a\nb: 1\n",
         "f.yaml:2:1: is not valid YAML: did not find expected '-' indicator, while parsing a "
         "block collection that begins at line 1");
  expect("b: 1\na\nc: 2\n",
         "f.yaml:3:1: is not valid YAML: could not find expected ':', while scanning a simple key "
         "that begins at line 2");
  expect("{a: 1\n",
         "f.yaml:2:1: is not valid YAML: did not find expected ',' or '}', while parsing a flow "
         "mapping that begins at line 1");
  expect("a: @x\n",
         "f.yaml:1:4: is not valid YAML: found character that cannot start any token, while "
         "scanning for the next token");
  expect("a: 1\n... x\n", "f.yaml:2:5: is not valid YAML: did not find expected <document start>");
  expect("a: |x\n",
         "f.yaml:1:5: is not valid YAML: did not find expected comment or line break, while "
         "scanning a block scalar");
  expect("a: \"\\q\"\n",
         "f.yaml:1:5: is not valid YAML: found unknown escape character, while parsing a quoted "
         "scalar");
  expect("a: &x &y 1\n",
         "f.yaml:1:7: is not valid YAML: did not find expected key, while parsing a block mapping");
  expect("%TAG !e! tag:x,2000:\n---\na\n", "f.yaml:1:1: directive `%TAG` is not supported");
}

TEST(Parse, ANullStandsBehindItsIndicator) {
  const Node root = parse("a:\nb:\n-\n- 1\n", "f.yaml");
  EXPECT_EQ(root.at("a").where(), "f.yaml:1:3");
  EXPECT_EQ(root.at("b").items()[0].where(), "f.yaml:3:2");
}

// Where readers of YAML see different things, guessing would be silent: these are refused instead.
TEST(Parse, WhatReadersDisagreeAboutIsRefused) {
  EXPECT_EQ(refusal("|\nx\n"),
            "f.yaml:2:1: is not valid YAML: did not find expected <document start>");
  EXPECT_NE(refusal("a: |\n     \n  x\n"), "");
  EXPECT_EQ(refusal("{a:}\n"),
            "f.yaml:1:3: is not valid YAML: found unexpected ':', while scanning a plain scalar");
  EXPECT_EQ(refusal("%YAML 1.1\n---\na: yes\n"),
            "f.yaml:1:1: directive `%YAML 1.1` is not supported, only `%YAML 1.2` is");
  EXPECT_EQ(refusal("%YAML 1.2\n---\na: yes\n"), "");
  const std::string behind = " is a line break to some readers only: escape it in double quotes";
  EXPECT_EQ(refusal("b: ü\na: \"üx\xC2\x85y\"\n"),
            "f.yaml:2:7: is not valid YAML: U+0085" + behind);
  EXPECT_EQ(refusal("a: x\xE2\x80\xA8y\n"), "f.yaml:1:5: is not valid YAML: U+2028" + behind);
  EXPECT_EQ(refusal("a: x\xE2\x80\xA9y\n"), "f.yaml:1:5: is not valid YAML: U+2029" + behind);
  EXPECT_EQ(refusal("b: 1\na: \x07\n"),
            "f.yaml:2:4: is not valid YAML: control characters are not allowed");
  EXPECT_EQ(refusal(std::string("a: x\0y\n", 7)),
            "f.yaml:1:5: is not valid YAML: control characters are not allowed");
}

// ruamel.yaml refuses tabs nearly everywhere; YAML 1.2.2 allows them where nothing is indented by
// them, which can be read in one way only.
TEST(Parse, TabsMayStandBetweenWords) {
  expect_readings({{"a:\tb\n", R"({"a":"b"})"},
                   {"a: b\tc\t\n", R"({"a":"b\u0009c"})"},
                   {"a: 1\t# c\n", R"({"a":1})"}});
  EXPECT_NE(refusal("a:\n\tb: 1\n"), "");
  EXPECT_NE(refusal("-\t- x\n"), "");
  EXPECT_EQ(refusal("a: |\n  \tx\n"),
            "f.yaml:2:3: is not valid YAML: found a tab character where an indentation space is "
            "expected, while scanning a block scalar that begins at line 1");
}

TEST(Parse, AKeyHasAtMost1024Characters) {
  const std::string fits(1'024, 'k');
  EXPECT_EQ(refusal(fits + ": 1\n"), "");
  EXPECT_EQ(refusal(fits + "k: 1\n"),
            "f.yaml:1:1026: is not valid YAML: mapping values are not allowed in this context");
  EXPECT_EQ(refusal("? " + fits + "k\n: 1\n"), "");
}

// Equal in Python, and a whole number too large for any integer type.
TEST(Parse, FloatKeysAreComparedAsNumbers) {
  EXPECT_EQ(refusal("1: a\n1.0: b\n"), "f.yaml:2:1: key `1.0` is there already, at line 1");
  EXPECT_EQ(refusal("1e300: a\n1.0e300: b\n"),
            "f.yaml:2:1: key `1e+300` is there already, at line 1");
  EXPECT_EQ(refusal("0.0: a\n-0.0: b\n"), "f.yaml:2:1: key `-0.0` is there already, at line 1");
  EXPECT_EQ(refusal("1.5: a\n.inf: b\n-.inf: c\n1e300: d\n"), "");
}

}  // namespace
}  // namespace slipway::yaml

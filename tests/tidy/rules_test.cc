// Snippets known to be bad, and their good neighbours: a rule that finds nothing must not pass
// for a clean tree.

#include "tests/tidy/rules.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

namespace kvorum::tidy {
namespace {

SourceFile File(std::string path, std::string_view text) {
  return {std::move(path), std::string(text)};
}

// Findings for `text` inside a coroutine.
Findings Coroutine(std::string_view text) {
  return CheckCoroutines(File("api/grpc/kv.cc", "Task F() {\n" + std::string(text) + "\n}\n"));
}

TEST(CodeView, BlanksCommentsAndLiteralsAndKeepsLines) {
  EXPECT_EQ(CodeView("a; // b\nc"), "a;     \nc");
  EXPECT_EQ(CodeView("a /* b\nc */ d"), "a     \n     d");
  EXPECT_EQ(CodeView(R"(f("x\"y", 'z');)"), R"(f("    ", ' ');)");
  EXPECT_EQ(CodeView("R\"x(a\n)\" )x\" b"), "R\"   \n     \" b");
  EXPECT_EQ(CodeView("1'000 + '\\''"), "1'000 + '  '");
  EXPECT_EQ(CommentView("a; // b\nc /* d */ \"//\""), "   // b\n  /* d */     ");
}

TEST(Layers, EachFolderSeesOnlyWhatIsBelow) {
  EXPECT_EQ(CheckLayers(File("raft/log.cc", "#include \"wal/wal.h\"\n")).size(), 1u);
  EXPECT_EQ(CheckLayers(File("wal/wal.h", "#include \"mvcc/mvcc.h\"\n")).size(), 1u);
  EXPECT_EQ(CheckLayers(File("mvcc/store.cc", "#include \"server/server.h\"\n")).size(), 1u);
  EXPECT_EQ(CheckLayers(File("base/env.cc", "#include \"proto/rpc.pb.h\"\n")).size(), 1u);
  EXPECT_EQ(CheckLayers(File("server/server.cc", "#include \"api/api.h\"\n")).size(), 1u);
  EXPECT_EQ(CheckLayers(File("server/server.cc", "#include \"tests/testing/x.h\"\n")).size(), 1u);
  EXPECT_EQ(CheckLayers(File("server/server.cc", "\n #  include \"api/api.h\"\n"))[0].line, 2u);

  EXPECT_TRUE(CheckLayers(File("raft/log.cc", "#include \"base/status.h\"\n")).empty());
  EXPECT_TRUE(CheckLayers(File("api/grpc/kv.cc", "#include \"mvcc/mvcc.h\"\n")).empty());
  EXPECT_TRUE(CheckLayers(File("server/main.cc", "#include \"api/api.h\"\n")).empty());
  EXPECT_TRUE(CheckLayers(File("tests/raft/log_test.cc", "#include \"wal/wal.h\"\n")).empty());
  EXPECT_TRUE(CheckLayers(File("raft/log.cc", "// #include \"wal/wal.h\"\n")).empty());
}

TEST(LibraryCorners, BigLibrariesStayInTheirCorners) {
  const auto count = [](std::string path, std::string_view include) {
    return CheckLibraryCorners(File(std::move(path), "#include <" + std::string(include) + ">\n"))
        .size();
  };
  EXPECT_EQ(count("mvcc/store.cc", "rocksdb/db.h"), 1u);
  EXPECT_EQ(count("mvcc/backend/rocksdb_backend.cc", "rocksdb/db.h"), 0u);
  EXPECT_EQ(count("server/server.cc", "boost/beast/core.hpp"), 1u);
  EXPECT_EQ(count("server/peer/stream.cc", "boost/beast/core.hpp"), 0u);
  EXPECT_EQ(count("server/server.cc", "grpcpp/grpcpp.h"), 1u);
  EXPECT_EQ(count("api/grpc/kv.cc", "grpcpp/grpcpp.h"), 0u);
  EXPECT_EQ(count("api/http/health.cc", "openssl/ssl.h"), 1u);
  EXPECT_EQ(count("server/tls/tls.cc", "openssl/ssl.h"), 0u);
  EXPECT_EQ(count("server/server.cc", "prometheus/counter.h"), 1u);
  EXPECT_EQ(count("base/metrics.cc", "prometheus/counter.h"), 0u);
  EXPECT_EQ(count("wal/wal.cc", "spdlog/spdlog.h"), 1u);
  EXPECT_EQ(count("base/log.cc", "spdlog/spdlog.h"), 0u);
  EXPECT_EQ(CheckLibraryCorners(File("server/a.cc", "#include \"proto/rpc.grpc.pb.h\"\n")).size(),
            1u);
}

TEST(RaftIsPure, NoThreadClockRandomSourceOrFile) {
  for (std::string_view header : {"thread", "mutex", "chrono", "random", "fstream", "atomic"}) {
    EXPECT_EQ(CheckRaftIsPure(File("raft/a.h", "#include <" + std::string(header) + ">\n")).size(),
              1u)
        << header;
  }
  for (std::string_view code :
       {"int x = std::rand();", "seed = time(nullptr);", "return ::time(0);", "std::time(0);",
        "auto now = std::chrono::steady_clock::now();", "std::mt19937 r;", "fopen(p, m);",
        "thread_local int x;"}) {
    EXPECT_EQ(CheckRaftIsPure(File("raft/a.cc", code)).size(), 1u) << code;
    EXPECT_TRUE(CheckRaftIsPure(File("server/a.cc", code)).empty()) << code;
  }
  for (std::string_view code :
       {"// std::rand()", "node.time();", "int64_t time(int x);", "random_.Next();",
        "int election_time(3);", "p->clock();", "Log(\"rand()\");"}) {
    EXPECT_TRUE(CheckRaftIsPure(File("raft/a.cc", code)).empty()) << code;
  }
}

TEST(Coroutines, NoAwaitInAConditionOrBesideABranchingOperator) {
  for (std::string_view code :
       {"if (co_await x()) return;", "while (!co_await Next()) {}", "if (a && co_await x()) {}",
        "for (auto y : co_await All()) {}", "switch (co_await x()) {}",
        "if (const bool ok = co_await x(); ok) {}", "if constexpr (co_await x()) {}"}) {
    EXPECT_FALSE(Coroutine(code).empty()) << code;
  }
  for (std::string_view code : {"bool b = a && co_await x();", "bool b = co_await x() || a;",
                                "int i = co_await x() ? 1 : 2;", "int i = a ? co_await x() : 2;",
                                "f(g(co_await x()) && b);", "co_return co_await x() && y;"}) {
    EXPECT_EQ(Coroutine(code).size(), 1u) << code;
  }
  for (std::string_view code :
       {"const bool ok = co_await x();", "auto&& v = co_await x();", "co_await x(a && b);",
        "if (ok) co_await x();", "while (true) {\n  const bool ok = co_await x();\n}",
        "f(co_await x(), a && b);", "bool b = a && c;\nco_await x();",
        "co_await x([&] { return a && b; });"}) {
    EXPECT_TRUE(Coroutine(code).empty()) << code << "\n" << ToString(Coroutine(code));
  }
}

TEST(Coroutines, NoOwningLambdaAsAnArgumentOfAnAwait) {
  for (std::string_view code :
       {"co_await Fn([s = std::string()] { use(s); });", "co_await Fn(a, [s] { use(s); });",
        "co_await Fn([=]() mutable { use(s); });", "auto r = f(co_await a(), [x] { return x; });",
        "co_await Fn([&, s = std::move(t)](int a) -> int { return a; });",
        "co_await [s](int) { use(s); };"}) {
    EXPECT_EQ(Coroutine(code).size(), 1u) << code << "\n" << ToString(Coroutine(code));
  }
  for (std::string_view code :
       {"co_await Fn([&] { use(s); });", "co_await Fn([this, &s] { use(s); });",
        "auto fn = [s] { use(s); };\nco_await Fn(std::move(fn));", "co_await a[i];",
        "co_await Fn(a[i], b[j + 1]);", "co_await Fn([] { return 1; });"}) {
    EXPECT_TRUE(Coroutine(code).empty()) << code << "\n" << ToString(Coroutine(code));
  }
}

TEST(Coroutines, NoAggregateMadeOnTheSpotAsAnArgumentOfAnAwait) {
  for (std::string_view code : {"co_await Agg{std::string()};", "co_await f(Options{.limit = 3});",
                                "co_await f(a, {b, c});", "auto r = f(co_await a(), Opt{x});",
                                "co_await f({.a = 1});", "co_await ns::Agg<int>{x};"}) {
    EXPECT_EQ(Coroutine(code).size(), 1u) << code << "\n" << ToString(Coroutine(code));
  }
  for (std::string_view code :
       {"Options o{.limit = 3};\nco_await f(std::move(o));", "co_await f(Options(3));",
        "const Reply r = co_await f(g(a), h());\nuse(Reply{a});",
        "co_await f([&](int a) { return Agg{a}; });"}) {
    EXPECT_TRUE(Coroutine(code).empty()) << code << "\n" << ToString(Coroutine(code));
  }
}

TEST(Coroutines, NoCoroutineLambdaWithCapturesCalledOnTheSpot) {
  EXPECT_EQ(Coroutine("[this]() -> Task { co_await x(); }();").size(), 1u);
  EXPECT_EQ(Coroutine("Spawn([&] { co_return 1; }(), 2);").size(), 1u);
  EXPECT_TRUE(Coroutine("[](Server* s) -> Task { co_await s->x(); }(this);").empty());
  EXPECT_TRUE(Coroutine("const int x = [&] { return 1; }();").empty());
  EXPECT_TRUE(Coroutine("auto f = [this]() -> Task { co_await x(); };").empty());
}

TEST(Contract, TheMainHeaderOpensWithTenLinesOrMore) {
  std::string text = "#pragma once\n";
  for (int i = 0; i < 9; ++i) text += "// line\n";
  EXPECT_EQ(CheckContract(File("wal/wal.h", text + "\n#include <string>\n")).size(), 1u);
  EXPECT_TRUE(CheckContract(File("wal/wal.h", text + "// line\nclass Wal;\n")).empty());
  EXPECT_TRUE(CheckContract(File("wal/segment.h", "#pragma once\n")).empty());
}

TEST(PragmaOnce, EveryHeaderHasIt) {
  EXPECT_EQ(CheckPragmaOnce(File("base/a.h", "#ifndef A\n#define A\n#endif\n")).size(), 1u);
  EXPECT_TRUE(CheckPragmaOnce(File("base/a.h", "// A.\n#pragma once\n")).empty());
  EXPECT_TRUE(CheckPragmaOnce(File("base/a.cc", "int a;\n")).empty());
}

TEST(LineLength, HundredColumns) {
  const std::string hundred(100, 'x');
  EXPECT_TRUE(CheckLineLength(File("base/a.h", hundred + "\n")).empty());
  EXPECT_EQ(CheckLineLength(File("base/a.h", "\n" + hundred + "x\n"))[0].line, 2u);
  std::string umlauts;
  for (int i = 0; i < 100; ++i) umlauts += "\xc3\xbc";
  EXPECT_TRUE(CheckLineLength(File("base/a.h", umlauts)).empty());
}

TEST(NoTabs, OnlyGoHasThem) {
  EXPECT_EQ(CheckNoTabs(File("base/a.h", "a\n\tb\n"))[0].line, 2u);
  EXPECT_TRUE(CheckNoTabs(File("tests/compat/a.go", "\tb\n")).empty());
}

TEST(Todos, NameTheirIssue) {
  const std::string todo = std::string("TO") + "DO";
  EXPECT_EQ(CheckTodos(File("base/a.h", "// " + todo + ": later\n")).size(), 1u);
  EXPECT_EQ(CheckTodos(File("base/a.h", "// " + todo + "(me): later\n")).size(), 1u);
  EXPECT_EQ(CheckTodos(File("base/a.h", "// " + todo + "(#): later\n")).size(), 1u);
  EXPECT_EQ(CheckTodos(File("base/a.h", std::string("// FIX") + "ME\n")).size(), 1u);
  EXPECT_TRUE(CheckTodos(File("base/a.h", "// " + todo + "(#12): later\n")).empty());
  EXPECT_TRUE(CheckTodos(File("base/a.h", "int " + todo + "S;\n")).empty());
  EXPECT_TRUE(CheckTodos(File("base/a.cc", "mkdtemp(\"" + std::string("XX") + "X\");\n")).empty());
}

TEST(NoSleepInTests, WaitForAConditionInstead) {
  for (std::string_view code : {"std::this_thread::sleep_for(1s);", "usleep(10);", "::sleep(1);",
                                "if (x) sleep(1);", "absl::SleepFor(d);"}) {
    EXPECT_EQ(CheckNoSleepInTests(File("tests/a_test.cc", code)).size(), 1u) << code;
    EXPECT_TRUE(CheckNoSleepInTests(File("server/a.cc", code)).empty()) << code;
  }
  EXPECT_EQ(CheckNoSleepInTests(File("tests/compat/a_test.go", "\ttime.Sleep(d)\n")).size(), 1u);
  EXPECT_TRUE(CheckNoSleepInTests(File("tests/a_test.cc", "// usleep(10)\nenv.sleep(1);")).empty());
}

TEST(NamedByCMake, BySomeListAtOrAboveTheFile) {
  const std::vector<SourceFile> files = {
      File("CMakeLists.txt", "project(x)"),
      File("mvcc/CMakeLists.txt", "kvorum_library(mvcc SOURCES store.cc backend/schema.cc)"),
      File("proto/CMakeLists.txt", "set(protos rpc kv)"),
      File("mvcc/store.cc", ""),
      File("mvcc/backend/schema.cc", ""),
      File("mvcc/forgotten.cc", ""),
      File("mvcc/my_store.cc", ""),
      File("proto/kv.proto", ""),
      File("proto/lost.proto", "")};
  const Findings found = CheckNamedByCMake(files);
  ASSERT_EQ(found.size(), 3u) << ToString(found);
  EXPECT_EQ(found[0].path, "mvcc/forgotten.cc");
  EXPECT_EQ(found[1].path, "mvcc/my_store.cc");
  EXPECT_EQ(found[2].path, "proto/lost.proto");
}

TEST(HeadersAreIncluded, ByAnotherFile) {
  const std::vector<SourceFile> files = {File("base/used.h", ""), File("base/dead.h", ""),
                                         File("base/a.cc", "#include \"base/used.h\"\n")};
  const Findings found = CheckHeadersAreIncluded(files);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].path, "base/dead.h");
}

}  // namespace
}  // namespace kvorum::tidy

#include "tests/tidy/rules.h"

#include <algorithm>
#include <cctype>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>

namespace kvorum::tidy {
namespace {

constexpr size_t kColumnsMax = 100;
constexpr size_t kContractLinesMin = 10;

struct Include {
  std::string_view path;
  size_t line;
};

bool EndsWith(std::string_view s, std::string_view end) { return s.ends_with(end); }

bool IsUnder(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && path.size() > folder.size() && path[folder.size()] == '/';
}

bool IsAnyOf(std::string_view s, const std::vector<std::string_view>& all) {
  return std::find(all.begin(), all.end(), s) != all.end();
}

bool IsCpp(const SourceFile& f) { return EndsWith(f.path, ".cc") || EndsWith(f.path, ".h"); }

bool IsTest(const SourceFile& f) { return IsUnder(f.path, "tests"); }

std::string_view Folder(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view FileName(std::string_view path) { return path.substr(path.rfind('/') + 1); }

std::string_view TopFolder(std::string_view path) {
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

std::string_view TrimLeft(std::string_view s) {
  while (!s.empty() && std::isspace(static_cast<unsigned char>(s.front()))) s.remove_prefix(1);
  return s;
}

std::vector<Include> Includes(const SourceFile& f) {
  std::vector<Include> all;
  size_t number = 0;
  for (std::string_view line : Lines(f.text)) {
    ++number;
    line = TrimLeft(line);
    if (!line.starts_with('#')) continue;
    line = TrimLeft(line.substr(1));
    if (!line.starts_with("include")) continue;
    line = TrimLeft(line.substr(std::string_view("include").size()));
    if (line.empty() || (line.front() != '"' && line.front() != '<')) continue;
    const size_t end = line.find(line.front() == '"' ? '"' : '>', 1);
    if (end != std::string_view::npos) all.push_back({line.substr(1, end - 1), number});
  }
  return all;
}

// Folders whose headers a folder may include, itself among them.
const std::map<std::string_view, std::vector<std::string_view>>& AllowedFolders() {
  static const std::map<std::string_view, std::vector<std::string_view>> allowed = {
      {"base", {"base"}},
      {"proto", {"proto"}},
      {"raft", {"base", "proto", "raft"}},
      {"wal", {"base", "proto", "wal"}},
      {"mvcc", {"base", "proto", "mvcc"}},
      {"server", {"base", "proto", "raft", "wal", "mvcc", "server"}},
      {"api", {"base", "proto", "raft", "wal", "mvcc", "server", "api"}},
  };
  return allowed;
}

// main.cc wires everything together, and kvorumutl sees what main.cc sees.
bool SeesEverything(const SourceFile& f) {
  return FileName(f.path) == "main.cc" || IsUnder(f.path, "server/utl");
}

// One library, and where it may be named: folders end in '/', files are given by their beginning.
struct Corner {
  std::string_view library;
  std::vector<std::string_view> include_prefixes;
  std::vector<std::string_view> places;
};

const std::vector<Corner>& Corners() {
  static const std::vector<Corner> corners = {
      {"RocksDB", {"rocksdb/"}, {"mvcc/backend/"}},
      {"Beast", {"boost/beast"}, {"server/peer/", "api/http/", "api/listener/"}},
      {"gRPC", {"grpc/", "grpcpp/", "grpc++/"}, {"api/"}},
      {"OpenSSL", {"openssl/", "boost/asio/ssl"}, {"server/tls/", "server/auth/", "base/"}},
      {"prometheus-cpp", {"prometheus/"}, {"base/metrics"}},
      {"spdlog", {"spdlog/"}, {"base/log"}},
  };
  return corners;
}

// How many columns a line takes: UTF-8 continuation bytes take none.
size_t Columns(std::string_view line) {
  return static_cast<size_t>(std::count_if(line.begin(), line.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// True if text[at] starts a call of `name` as a free or std:: function, not of a member.
bool IsFreeCall(std::string_view code, size_t at, std::string_view name) {
  if (!IsWordAt(code, at, name)) return false;
  const std::string_view after = TrimLeft(code.substr(at + name.size()));
  if (!after.starts_with('(')) return false;
  const std::string_view before = code.substr(0, at);
  if (before.ends_with('.') || before.ends_with("->")) return false;
  if (before.ends_with("::")) {
    return before.ends_with("std::") || before.size() == 2 ||
           !IsIdentifierChar(before[before.size() - 3]);
  }
  // "Duration time(...)" declares; a call follows an operator or a keyword that ends a statement.
  size_t i = before.size();
  while (i > 0 && std::isspace(static_cast<unsigned char>(before[i - 1]))) --i;
  if (i == 0 || !IsIdentifierChar(before[i - 1])) return i == 0 || before[i - 1] != '>';
  return before.substr(0, i).ends_with("return");
}

void FindCalls(const SourceFile& f, std::string_view code, std::string_view name,
               std::string_view why, Findings* out) {
  for (size_t at : FindWord(code, name)) {
    if (IsFreeCall(code, at, name)) {
      out->push_back({f.path, LineOf(code, at), std::string(name) + "(): " + std::string(why)});
    }
  }
}

void FindWords(const SourceFile& f, std::string_view code, std::string_view word,
               std::string_view why, Findings* out) {
  for (size_t at : FindWord(code, word)) {
    out->push_back({f.path, LineOf(code, at), std::string(word) + ": " + std::string(why)});
  }
}

}  // namespace

Findings CheckLayers(const SourceFile& file) {
  Findings found;
  const auto allowed = AllowedFolders().find(TopFolder(file.path));
  if (!IsCpp(file) || allowed == AllowedFolders().end() || SeesEverything(file)) return found;
  for (const Include& include : Includes(file)) {
    const std::string_view target = TopFolder(include.path);
    if (target == "tests") {
      found.push_back({file.path, include.line, "includes a test"});
    } else if (AllowedFolders().contains(target) && !IsAnyOf(target, allowed->second)) {
      found.push_back({file.path, include.line,
                       std::string(allowed->first) + "/ may not see " + std::string(include.path)});
    }
  }
  return found;
}

Findings CheckLibraryCorners(const SourceFile& file) {
  Findings found;
  if (!IsCpp(file) || IsTest(file)) return found;
  for (const Include& include : Includes(file)) {
    for (const Corner& corner : Corners()) {
      const bool stub = corner.library == "gRPC" && EndsWith(include.path, ".grpc.pb.h");
      const bool named =
          stub || std::any_of(corner.include_prefixes.begin(), corner.include_prefixes.end(),
                              [&](auto p) { return include.path.starts_with(p); });
      const bool at_home = std::any_of(corner.places.begin(), corner.places.end(),
                                       [&](auto p) { return file.path.starts_with(p); });
      if (named && !at_home) {
        found.push_back(
            {file.path, include.line,
             std::string(corner.library) + " does not belong here: " + std::string(include.path)});
      }
    }
  }
  return found;
}

Findings CheckRaftIsPure(const SourceFile& file) {
  static const std::vector<std::string_view> headers = {"thread",
                                                        "mutex",
                                                        "shared_mutex",
                                                        "condition_variable",
                                                        "future",
                                                        "atomic",
                                                        "semaphore",
                                                        "barrier",
                                                        "latch",
                                                        "stop_token",
                                                        "coroutine",
                                                        "chrono",
                                                        "ctime",
                                                        "time.h",
                                                        "sys/time.h",
                                                        "random",
                                                        "fstream",
                                                        "filesystem",
                                                        "cstdio",
                                                        "stdio.h",
                                                        "unistd.h",
                                                        "fcntl.h",
                                                        "iostream",
                                                        "absl/synchronization/mutex.h",
                                                        "absl/time/clock.h",
                                                        "base/clock.h",
                                                        "base/env.h",
                                                        "base/bounded_queue.h",
                                                        "base/log.h"};
  static const std::vector<std::string_view> calls = {
      "time",  "clock", "gettimeofday", "clock_gettime", "rand",      "srand",  "random",
      "fopen", "open",  "sleep",        "usleep",        "nanosleep", "printf", "getenv"};
  static const std::vector<std::string_view> words = {
      "thread_local", "system_clock", "steady_clock", "random_device", "mt19937", "this_thread",
      "jthread",      "ifstream",     "ofstream",     "cout",          "cerr"};
  constexpr std::string_view kWhy = "raft/ has no thread, clock, random source or file of its own";
  Findings found;
  if (!IsCpp(file) || !IsUnder(file.path, "raft")) return found;
  for (const Include& include : Includes(file)) {
    if (IsAnyOf(include.path, headers)) {
      found.push_back(
          {file.path, include.line, std::string(include.path) + ": " + std::string(kWhy)});
    }
  }
  const std::string code = CodeView(file.text);
  for (std::string_view name : calls) FindCalls(file, code, name, kWhy, &found);
  for (std::string_view word : words) FindWords(file, code, word, kWhy, &found);
  return found;
}

Findings CheckContract(const SourceFile& file) {
  static const std::vector<std::string_view> main_headers = {
      "raft/raft.h", "wal/wal.h", "mvcc/mvcc.h", "server/server.h", "api/api.h"};
  if (!IsAnyOf(file.path, main_headers)) return {};
  size_t comment_lines = 0;
  for (std::string_view line : Lines(file.text)) {
    if (line.starts_with("#pragma once") || line.empty()) continue;
    if (!line.starts_with("//")) break;
    ++comment_lines;
  }
  if (comment_lines >= kContractLinesMin) return {};
  return {{file.path, 1,
           "opens with " + std::to_string(comment_lines) + " lines of contract, want at least " +
               std::to_string(kContractLinesMin)}};
}

Findings CheckPragmaOnce(const SourceFile& file) {
  if (!EndsWith(file.path, ".h")) return {};
  for (std::string_view line : Lines(file.text)) {
    if (line == "#pragma once") return {};
  }
  return {{file.path, 1, "no #pragma once"}};
}

Findings CheckLineLength(const SourceFile& file) {
  Findings found;
  size_t number = 0;
  if (EndsWith(file.path, ".go")) return found;  // gofmt's business
  for (std::string_view line : Lines(file.text)) {
    ++number;
    if (const size_t n = Columns(line); n > kColumnsMax) {
      found.push_back({file.path, number, std::to_string(n) + " columns"});
    }
  }
  return found;
}

Findings CheckNoTabs(const SourceFile& file) {
  Findings found;
  size_t number = 0;
  if (EndsWith(file.path, ".go")) return found;
  for (std::string_view line : Lines(file.text)) {
    ++number;
    if (line.find('\t') != std::string_view::npos) found.push_back({file.path, number, "tab"});
  }
  return found;
}

Findings CheckTodos(const SourceFile& file) {
  // Spelled apart, so that this file passes its own rule.
  static const std::string todo = std::string("TO") + "DO";
  static const std::vector<std::string> other_marks = {std::string("FIX") + "ME",
                                                       std::string("XX") + "X"};
  Findings found;
  // CMake has its own comment sign; its files are short enough to be taken whole.
  const std::string comments =
      FileName(file.path) == "CMakeLists.txt" ? file.text : CommentView(file.text);
  for (size_t at : FindWord(comments, todo)) {
    std::string_view rest = std::string_view(comments).substr(at + todo.size());
    bool has_issue = rest.starts_with("(#");
    if (has_issue) {
      rest.remove_prefix(2);
      const size_t digits = std::min(rest.find_first_not_of("0123456789"), rest.size());
      has_issue = digits > 0 && rest.substr(digits).starts_with(")");
    }
    if (!has_issue) found.push_back({file.path, LineOf(comments, at), todo + " without (#issue)"});
  }
  for (const std::string& mark : other_marks) {
    for (size_t at : FindWord(comments, mark)) {
      found.push_back({file.path, LineOf(comments, at), mark + ": write " + todo + "(#issue)"});
    }
  }
  return found;
}

Findings CheckNoSleepInTests(const SourceFile& file) {
  constexpr std::string_view kWhy = "a test waits for a condition";
  Findings found;
  if (!IsTest(file)) return found;
  const std::string code = CodeView(file.text);
  if (EndsWith(file.path, ".go")) {
    for (size_t at = code.find("time.Sleep("); at != std::string::npos;
         at = code.find("time.Sleep(", at + 1)) {
      found.push_back({file.path, LineOf(code, at), "time.Sleep: " + std::string(kWhy)});
    }
    return found;
  }
  if (!IsCpp(file)) return found;
  for (std::string_view word : {"sleep_for", "sleep_until", "SleepFor"}) {
    FindWords(file, code, word, kWhy, &found);
  }
  for (std::string_view name : {"sleep", "usleep", "nanosleep", "clock_nanosleep"}) {
    FindCalls(file, code, name, kWhy, &found);
  }
  return found;
}

Findings CheckNamedByCMake(const std::vector<SourceFile>& files) {
  std::map<std::string, const SourceFile*, std::less<>> lists;  // by folder
  for (const SourceFile& f : files) {
    if (FileName(f.path) == "CMakeLists.txt") lists.emplace(Folder(f.path), &f);
  }
  Findings found;
  for (const SourceFile& f : files) {
    if (!EndsWith(f.path, ".cc") && !EndsWith(f.path, ".proto")) continue;
    std::string_view folder = Folder(f.path);
    for (bool named = false; !named; folder = Folder(folder)) {
      if (const auto list = lists.find(folder); list != lists.end()) {
        const size_t prefix = folder.empty() ? 0 : folder.size() + 1;
        std::string_view name = std::string_view(f.path).substr(prefix);
        // A list of stems is as good: the files of proto/ are named so.
        std::string_view stem = name.substr(0, name.rfind('.'));
        named = !FindWord(list->second->text, name).empty() ||
                (EndsWith(f.path, ".proto") && !FindWord(list->second->text, stem).empty());
      }
      if (!named && folder.empty()) {
        found.push_back({f.path, 0, "no CMakeLists.txt names this file"});
        break;
      }
    }
  }
  return found;
}

Findings CheckHeadersAreIncluded(const std::vector<SourceFile>& files) {
  std::set<std::string_view> included;
  for (const SourceFile& f : files) {
    for (const Include& include : Includes(f)) {
      if (include.path != f.path) included.insert(include.path);
    }
  }
  Findings found;
  for (const SourceFile& f : files) {
    if (EndsWith(f.path, ".h") && !included.contains(f.path)) {
      found.push_back({f.path, 0, "nothing includes this header"});
    }
  }
  return found;
}

}  // namespace kvorum::tidy

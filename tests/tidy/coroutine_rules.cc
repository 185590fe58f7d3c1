#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "tests/tidy/rules.h"

namespace kvorum::tidy {
namespace {

constexpr std::string_view kAwait = "co_await";

bool IsBlank(char c) { return std::isspace(static_cast<unsigned char>(c)); }

// Offset of the next character at or after `i` that is not blank; code.size() if there is none.
size_t NextSolid(std::string_view code, size_t i) {
  while (i < code.size() && IsBlank(code[i])) ++i;
  return i;
}

// Offset of the last character before `i` that is not blank; npos if there is none.
size_t PreviousSolid(std::string_view code, size_t i) {
  while (i > 0 && IsBlank(code[i - 1])) --i;
  return i == 0 ? std::string_view::npos : i - 1;
}

bool IsOpen(char c) { return c == '(' || c == '[' || c == '{'; }
bool IsClose(char c) { return c == ')' || c == ']' || c == '}'; }

// Offset of the bracket that closes the one at `open`; code.size() if it stays open.
size_t Closing(std::string_view code, size_t open) {
  int depth = 0;
  for (size_t i = open; i < code.size(); ++i) {
    if (IsOpen(code[i])) ++depth;
    if (IsClose(code[i]) && --depth == 0) return i;
  }
  return code.size();
}

struct Extent {
  size_t first;
  size_t last;
};

// The full expression around the await at `at`: from behind the last ; { or } that is not inside
// brackets of its own, to the ; or unmatched bracket that ends it. A { that opens a braced list
// counts as a beginning too, which is narrow enough for what is looked for.
Extent FullExpression(std::string_view code, size_t at) {
  Extent e{at, at};
  int depth = 0;
  for (size_t i = at; i > 0; --i) {
    const char c = code[i - 1];
    if (IsClose(c) && c != '}') ++depth;
    if (IsOpen(c) && c != '{' && depth > 0) --depth;
    if (depth == 0 && (c == ';' || c == '{' || c == '}')) break;
    e.first = i - 1;
  }
  int braces = 0;
  for (size_t i = at; i < code.size(); ++i) {
    const char c = code[i];
    if (c == '{') ++braces;
    if (c == '}') {
      if (braces == 0) break;
      --braces;
    }
    if (c == ';' && braces == 0) break;
    e.last = i + 1;
  }
  return e;
}

// True if && || or ?: at `i` joins expressions: our formatter puts blanks around the operators, and
// none before the && of a reference.
bool IsBranchingOperator(std::string_view code, size_t i) {
  const bool two = code.substr(i, 2) == "&&" || code.substr(i, 2) == "||";
  if (!two && code[i] != '?') return false;
  const size_t after = i + (two ? 2 : 1);
  return i > 0 && IsBlank(code[i - 1]) && after < code.size() && IsBlank(code[after]);
}

// True if an operator of that kind has the await, or an expression that holds it, as an operand.
bool SharesBranchingExpression(std::string_view code, size_t at, Extent e) {
  int depth = 0;  // relative to the await; only its own level and outer ones count
  int outermost = 0;
  for (size_t i = at; i < e.last; ++i) {
    if (IsOpen(code[i])) ++depth;
    if (IsClose(code[i])) --depth;
    if (depth < outermost) outermost = depth;
    if (code[i] == ',' && depth == outermost) break;  // the next argument is another expression
    if (depth == outermost && IsBranchingOperator(code, i)) return true;
  }
  depth = outermost = 0;
  for (size_t i = at; i > e.first; --i) {
    const char c = code[i - 1];
    if (IsClose(c)) ++depth;
    if (IsOpen(c)) --depth;
    if (depth < outermost) outermost = depth;
    if (c == ',' && depth == outermost) break;
    if (depth == outermost && IsBranchingOperator(code, i - 1)) return true;
  }
  return false;
}

// True if the [ at `i` begins a lambda rather than a subscript or an attribute.
bool IsLambda(std::string_view code, size_t i) {
  if (code[i] != '[' || code.substr(i, 2) == "[[" || (i > 0 && code[i - 1] == '[')) return false;
  const size_t before = PreviousSolid(code, i);
  if (before == std::string_view::npos) return true;
  const char c = code[before];
  if (c == ')' || c == ']' || c == '"' || c == '>') return false;
  return !IsIdentifierChar(c) || code.substr(0, before + 1).ends_with("return") ||
         code.substr(0, before + 1).ends_with(kAwait);
}

// The text between [ and ] of the lambda at `open`.
std::string_view Captures(std::string_view code, size_t open) {
  return code.substr(open + 1, Closing(code, open) - open - 1);
}

// True if some capture is neither a reference nor `this`: the closure then owns a copy.
bool OwnsCaptures(std::string_view captures) {
  size_t first = 0;
  while (first < captures.size()) {
    size_t last = first;
    int depth = 0;
    for (; last < captures.size() && (depth > 0 || captures[last] != ','); ++last) {
      if (IsOpen(captures[last])) ++depth;
      if (IsClose(captures[last])) --depth;
    }
    const std::string_view one = captures.substr(NextSolid(captures, first), last);
    const std::string_view trimmed = one.substr(0, last - NextSolid(captures, first));
    if (!trimmed.empty() && trimmed.front() != '&' && !IsWordAt(trimmed, 0, "this")) return true;
    first = last + 1;
  }
  return false;
}

// Offset of the { of the body of the lambda at `open`, or npos.
size_t LambdaBody(std::string_view code, size_t open) {
  size_t i = NextSolid(code, Closing(code, open) + 1);
  while (i < code.size() && code[i] != '{') {
    if (code[i] == ';' || IsClose(code[i])) return std::string_view::npos;
    i = IsOpen(code[i]) ? Closing(code, i) + 1 : i + 1;
  }
  return i < code.size() ? i : std::string_view::npos;
}

bool HoldsCoroutineKeyword(std::string_view code) {
  return !FindWord(code, kAwait).empty() || !FindWord(code, "co_return").empty() ||
         !FindWord(code, "co_yield").empty();
}

// True if the { at `i` opens a value made on the spot as an operand of the await or as an argument:
// Type{...} or a bare {...} behind "co_await", ( or a comma.
bool IsAggregateArgument(std::string_view code, size_t i) {
  if (code[i] != '{') return false;
  size_t before = PreviousSolid(code, i);
  if (before == std::string_view::npos) return false;
  if (code[before] == '(' || code[before] == ',') return true;  // f({...}), f(a, {...})
  if (code[before] == '>') {                                    // Type<...>{...}
    int depth = 0;
    while (before > 0 && !(code[before] == '<' && depth == 1)) {
      if (code[before] == '>') ++depth;
      if (code[before] == '<') --depth;
      if (code[before] == ')' || code[before] == ';') return false;
      --before;
    }
    --before;
  }
  size_t first = before + 1;
  while (first > 0 && (IsIdentifierChar(code[first - 1]) || code[first - 1] == ':')) --first;
  if (first > before) return false;
  const size_t in_front = PreviousSolid(code, first);
  if (in_front == std::string_view::npos) return false;
  return code[in_front] == '(' || code[in_front] == ',' ||
         code.substr(0, in_front + 1).ends_with(kAwait);
}

void CheckConditions(const SourceFile& file, std::string_view code, Findings* out) {
  for (std::string_view keyword : std::array<std::string_view, 4>{"if", "while", "for", "switch"}) {
    for (size_t at : FindWord(code, keyword)) {
      size_t open = NextSolid(code, at + keyword.size());
      if (IsWordAt(code, open, "constexpr")) open = NextSolid(code, open + 9);
      if (open >= code.size() || code[open] != '(') continue;
      const std::string_view condition = code.substr(open, Closing(code, open) - open);
      if (!FindWord(condition, kAwait).empty()) {
        out->push_back({file.path, LineOf(code, at),
                        "co_await in a condition: await into a named value first"});
      }
    }
  }
}

void CheckAwait(const SourceFile& file, std::string_view code, size_t at, Findings* out) {
  const auto report = [&](std::string_view what) {
    out->push_back({file.path, LineOf(code, at), std::string(what)});
  };
  const Extent e = FullExpression(code, at);
  if (SharesBranchingExpression(code, at, e)) {
    report("co_await beside && || or ?: : await into a named value first");
  }
  for (size_t i = e.first; i < e.last; ++i) {
    if (IsLambda(code, i)) {
      if (OwnsCaptures(Captures(code, i))) {
        report("co_await with a lambda that owns captures: name it first");
      }
      const size_t body = LambdaBody(code, i);
      if (body != std::string_view::npos) i = Closing(code, body);
    } else if (IsAggregateArgument(code, i)) {
      report("co_await with an aggregate made on the spot: name it first");
    }
  }
}

void CheckInvokedLambdas(const SourceFile& file, std::string_view code, Findings* out) {
  for (size_t i = code.find('['); i != std::string_view::npos; i = code.find('[', i + 1)) {
    if (!IsLambda(code, i) || Captures(code, i).empty()) continue;
    const size_t body = LambdaBody(code, i);
    if (body == std::string_view::npos) continue;
    const size_t end = Closing(code, body);
    const size_t next = NextSolid(code, end + 1);
    if (next >= code.size() || code[next] != '(') continue;
    if (HoldsCoroutineKeyword(code.substr(body, end - body))) {
      out->push_back({file.path, LineOf(code, i),
                      "coroutine lambda with captures called on the spot: its captures die first"});
    }
  }
}

}  // namespace

Findings CheckCoroutines(const SourceFile& file) {
  Findings found;
  if (!file.path.ends_with(".cc") && !file.path.ends_with(".h")) return found;
  const std::string code = CodeView(file.text);
  CheckConditions(file, code, &found);
  for (size_t at : FindWord(code, kAwait)) CheckAwait(file, code, at, &found);
  CheckInvokedLambdas(file, code, &found);
  return found;
}

}  // namespace kvorum::tidy

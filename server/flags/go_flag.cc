#include "server/flags/go_flag.h"

#include <optional>
#include <utility>

#include "server/flags/go_value.h"

namespace kvorum::server::flags {

void GoFlagSet::Add(std::string_view name, bool is_bool, Setter set) {
  flags_[std::string(name)] = {.is_bool = is_bool, .set = std::move(set)};
}

GoFlagSet::Result GoFlagSet::Parse(const std::vector<std::string>& args) const {
  Result result;
  size_t next = 0;
  const auto fail = [&result](std::string text) {
    result.error = std::move(text);
    return result;
  };
  while (next < args.size()) {
    const std::string_view word = args[next];
    if (word.size() < 2 || word[0] != '-') break;
    ++next;
    if (word == "--") break;
    std::string_view name = word.substr(word[1] == '-' ? 2 : 1);
    if (name[0] == '-' || name[0] == '=') return fail("bad flag syntax: " + std::string(word));
    std::optional<std::string_view> value;
    if (const size_t equals = name.find('='); equals != std::string_view::npos) {
      value = name.substr(equals + 1);
      name = name.substr(0, equals);
    }
    const auto it = flags_.find(name);
    if (it == flags_.end()) {
      if (name == "help" || name == "h") {
        result.help = true;
        return result;
      }
      return fail("flag provided but not defined: -" + std::string(name));
    }
    const auto& [is_bool, set] = it->second;
    if (!value && !is_bool) {
      if (next == args.size()) return fail("flag needs an argument: -" + std::string(name));
      value = args[next++];
    }
    const Status status = set(value.value_or("true"));
    if (status.ok()) continue;
    return fail((is_bool ? "invalid boolean value " : "invalid value ") +
                GoQuote(value.value_or("true")) + (is_bool ? " for -" : " for flag -") +
                std::string(name) + ": " + std::string(status.message()));
  }
  result.words.assign(args.begin() + static_cast<std::ptrdiff_t>(next), args.end());
  return result;
}

}  // namespace kvorum::server::flags

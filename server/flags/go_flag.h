#pragma once
// The syntax of Go's flag package: -x and --x are the same, "--x=v" or "--x v", a bool takes no
// separate word, "--" and the first word that is no flag end the flags.
//
// Error texts and the moment of each error (the first ends parsing) are Go's.

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace kvorum::server::flags {

class GoFlagSet {
 public:
  // Takes a value's text; the message of its Status is what follows the colon in the error.
  using Setter = std::function<Status(std::string_view)>;

  void Add(std::string_view name, bool is_bool, Setter set);

  struct Result {
    bool help = false;               // -h or -help, which nobody defined
    std::string error;               // empty: fine
    std::vector<std::string> words;  // what stands behind the flags
  };
  // `args` without the program's name.
  Result Parse(const std::vector<std::string>& args) const;

 private:
  struct Flag {
    bool is_bool = false;
    Setter set;
  };
  std::map<std::string, Flag, std::less<>> flags_;
};

}  // namespace kvorum::server::flags

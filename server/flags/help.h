#pragma once
// What --help and --version print.

#include <string>

namespace kvorum::server::flags {

// How to call the server; for stderr, also after a bad flag.
std::string UsageText();
// Every flag with its default; for stdout.
std::string FlagListText();
// Four lines in etcd's form, of which tools read the first, and one of our own.
std::string VersionText();

}  // namespace kvorum::server::flags

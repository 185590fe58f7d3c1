#include "server/flags/help.h"

#include "server/config.h"
#include "server/flags/flag_table.h"
#include "server/flags/flags.h"

namespace kvorum::server::flags {
namespace {

// Go's name of the processor.
std::string GoArch() {
#if defined(__x86_64__)
  return "amd64";
#elif defined(__aarch64__)
  return "arm64";
#else
  return "unknown";
#endif
}

}  // namespace

std::string UsageText() {
  return R"(Usage:

  kvorum [flags]
    Run a server. Flags and environment variables are etcd's.

  kvorum --version
    Say which version this is, and of which etcd release it is the equal.

  kvorum -h | --help
    List the flags.

Each flag can be given as a variable, too: --listen-client-urls as ETCD_LISTEN_CLIENT_URLS.

)";
}

std::string FlagListText() {
  std::string text;
  std::string_view section;
  for (const FlagDefinition& flag : AllFlags()) {
    if (flag.section.empty()) continue;
    if (flag.section != section) {
      section = flag.section;
      text += "\n" + std::string(section) + ":\n";
    }
    text += "  --" + std::string(flag.name) + " '" + std::string(flag.initial) + "'\n    " +
            std::string(flag.help) + "\n";
    if (flag.support == Support::kOff) text += "    In this version only the default.\n";
  }
  return text + "\n";
}

std::string VersionText() {
  return std::string("etcd Version: ") + kServerVersion +
         "\nGit SHA: Not provided (this is kvorum)" +
         "\nGo Version: none (C++20)\nGo OS/Arch: linux/" + GoArch() +
         "\nkvorum Version: " + kKvorumVersion + "\n";
}

}  // namespace kvorum::server::flags

#include "server/fatal.h"

#include <cstdlib>

namespace kvorum::server {

void Fatal(std::string_view msg, log::Fields fields, const std::source_location& where) {
  log::Write(log::Level::kFatal, msg, fields, where);
  std::abort();
}

}  // namespace kvorum::server

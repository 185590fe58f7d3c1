#include "server/fatal.h"

#include <cstdlib>
#include <utility>

namespace kvorum::server {
namespace {

std::function<void(std::string_view)>& TestHandler() {
  static auto* const handler = new std::function<void(std::string_view)>;
  return *handler;
}

}  // namespace

void SetFatalHandlerForTest(std::function<void(std::string_view msg)> handler) {
  TestHandler() = std::move(handler);
}

void Fatal(std::string_view msg, log::Fields fields, const log::Location& where) {
  log::Write(log::Level::kFatal, msg, fields, where);
  if (TestHandler()) TestHandler()(msg);
  std::abort();
}

}  // namespace kvorum::server

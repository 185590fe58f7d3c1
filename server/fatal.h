#pragma once
// Fatal(): the end of the process by decision, not by a bug: a write of the log failed, the store
// is damaged, an entry cannot be applied. Going on would break a promise given to clients or peers.
//
//   Fatal("failed to sync the raft log", {{"error", status}});

#include <functional>
#include <string_view>

#include "base/log.h"

namespace kvorum::server {

// Writes the line at level fatal and aborts. Any thread.
[[noreturn]] void Fatal(std::string_view msg, log::Fields fields,
                        const log::Location& where = log::Location::Current());

// What a simulated member does instead of aborting; it must not return, so it throws. An empty one
// restores the abort. For tests that run stages on their own thread only.
void SetFatalHandlerForTest(std::function<void(std::string_view msg)> handler);

}  // namespace kvorum::server

#include "server/peer/peer_status.h"

#include "base/log.h"
#include "base/strings.h"

namespace kvorum::server::peer {

void PeerStatus::Activate() {
  absl::MutexLock lock(&mutex_);
  if (active_since_) return;
  active_since_ = SystemClock().Now();
  metrics_.SetActive(true);
  LOG_INFO("peer became active", {"peer-id", HexId(remote_)});
}

void PeerStatus::Deactivate(std::string_view action, std::string_view source,
                            std::string_view reason) {
  const std::string error =
      StrCat("failed to ", action, " ", HexId(remote_), " on ", source, " (", reason, ")");
  absl::MutexLock lock(&mutex_);
  if (!active_since_) {
    LOG_DEBUG("peer deactivated again", {"peer-id", HexId(remote_)}, {"error", error});
    return;
  }
  active_since_.reset();
  metrics_.SetActive(false);
  metrics_.Disconnected();
  LOG_WARN("peer became inactive (message send to peer failed)", {"peer-id", HexId(remote_)},
           {"error", error});
}

std::optional<TimePoint> PeerStatus::active_since() const {
  absl::MutexLock lock(&mutex_);
  return active_since_;
}

}  // namespace kvorum::server::peer

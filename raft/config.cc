#include "raft/config.h"

namespace kvorum::raft {

Status Config::Validate() const {
  // The two highest ids name storage threads in the reference's asynchronous mode.
  constexpr uint64_t kFirstReservedId = std::numeric_limits<uint64_t>::max() - 1;
  if (id == kNone || id.value() >= kFirstReservedId) {
    return absl::InvalidArgumentError("raft: id is 0 or reserved");
  }
  if (heartbeat_ticks <= 0) {
    return absl::InvalidArgumentError("raft: heartbeat_ticks must be positive");
  }
  if (election_timeout_ticks <= heartbeat_ticks) {
    return absl::InvalidArgumentError("raft: election_timeout_ticks must exceed heartbeat_ticks");
  }
  if (storage == nullptr || random == nullptr) {
    return absl::InvalidArgumentError("raft: storage and random must be given");
  }
  if (max_inflight_messages <= 0) {
    return absl::InvalidArgumentError("raft: max_inflight_messages must be positive");
  }
  if (max_inflight_bytes != 0 && max_inflight_bytes < max_message_bytes) {
    return absl::InvalidArgumentError("raft: max_inflight_bytes is below max_message_bytes");
  }
  return absl::OkStatus();
}

}  // namespace kvorum::raft

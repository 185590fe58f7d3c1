#pragma once
// Everything a RawNode is told once, at construction.

#include <cstdint>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>

#include "base/random.h"
#include "base/status.h"
#include "raft/storage.h"
#include "raft/types.h"

namespace kvorum::raft {

enum class TraceLevel : uint8_t { kDebug, kInfo, kWarning };

struct Config {
  static constexpr uint64_t kNoLimit = std::numeric_limits<uint64_t>::max();

  MemberId id;  // not 0, not one of the two highest values (the reference's storage threads)

  // A follower campaigns after [election_timeout_ticks, 2 * election_timeout_ticks) quiet ticks.
  int election_timeout_ticks = 10;
  int heartbeat_ticks = 1;

  // The log as recovered: HardState, snapshot metadata, entries. Outlives the node, which from then
  // on writes entries and received snapshots into it; see storage.h for what the caller still does.
  MemoryStorage* storage = nullptr;
  // Last index already applied by the state machine; entries up to it are not handed out again. At
  // least the storage's snapshot index (0 counts as that), at most HardState.commit. How to choose
  // it when the store is ahead of the log: raft.h, "Restart".
  Index applied;
  // The configuration in force at `applied`, if that is not the one in the storage's snapshot.
  std::optional<ConfState> conf_state;
  // Source of the randomised election timeouts. Outlives the node.
  Random* random = nullptr;

  // Bound on the entries of one kApp, in encoded bytes; at least one entry is always sent.
  uint64_t max_message_bytes = 1 << 20;
  // Bound on entries handed out for applying and not yet OnApplied; 0 means max_message_bytes.
  uint64_t max_applying_bytes = 0;
  // Leader refuses proposals that would raise the uncommitted payload above this; 0: no limit.
  uint64_t max_uncommitted_bytes = 0;
  // Per follower: kApp messages, and their bytes (0: no limit), sent and not yet acknowledged.
  int max_inflight_messages = 512;
  uint64_t max_inflight_bytes = 0;

  // Leader steps down when a quorum was silent for an election timeout, and members ignore vote
  // requests while they hear from a leader.
  bool check_quorum = true;
  // Ask for a majority's opinion before raising the term.
  bool pre_vote = true;

  // A follower refuses proposals instead of passing them on to its leader.
  bool disable_proposal_forwarding = false;
  // Admit V2 changes, and with them joint configurations. Off in a server: the original's apply
  // loop ends the process on a V2 entry, so one must not even come in as a peer's proposal.
  bool allow_conf_change_v2 = false;
  // Lets a proposer skip the "one unapplied change at a time" check. Tests only.
  bool disable_conf_change_validation = false;
  // A leader that removed or demoted itself steps down at once instead of leading on without
  // counting itself until another member takes over.
  bool step_down_on_removal = false;
  // A Ready's committed entries end at the first configuration change (raft.h, rule 6).
  bool split_at_conf_change = true;

  // Called for role changes, elections, transfers and refusals, on the thread that drives the node;
  // never per message or entry on the normal path. May be empty.
  std::function<void(TraceLevel, std::string_view)> trace;

  // InvalidArgument naming the first field that makes no sense.
  Status Validate() const;
};

}  // namespace kvorum::raft

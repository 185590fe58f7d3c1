#pragma once
// Ready: what the core wants done, one struct a round. The rules for each field: raft.h.

#include <optional>
#include <vector>

#include "raft/types.h"

namespace kvorum::raft {

// The receipt for one Ready's append: given back to RawNode::OnAppended when everything in that
// Ready is durable. Opaque to the caller; move it along with the write.
class AppendAck {
 public:
  AppendAck() = default;

 private:
  friend class RawNode;
  friend class RaftCore;
  Term term;                            // of the member when the Ready was taken
  EntryId last;                         // newest entry in memory then; index 0: none was pending
  SnapshotPtr snapshot;                 // of this Ready, or null
  std::vector<Message> self_responses;  // own vote, own append: counted on acknowledgement
};

struct Ready {
  // Set when changed since the previous Ready.
  std::optional<SoftState> soft_state;
  std::optional<HardState> hard_state;

  // To write: the snapshot (it replaces the whole log), then entries, then hard_state. An entry
  // whose index was written before overwrites it and everything behind it.
  SnapshotPtr snapshot;
  std::vector<Entry> entries;
  // An fsync is needed. False when only the commit index of hard_state moved.
  bool must_sync = false;

  // To apply, in order. Durable on this member already, never part of `entries`.
  std::vector<Entry> committed_entries;
  std::vector<ReadState> read_states;

  // May leave at once, while the append is under way.
  std::vector<Message> messages;
  // Leave only when this Ready's append, and every earlier one, is durable. Never to itself.
  std::vector<Message> messages_after_append;

  // True if this Ready has to pass the WAL stage, even if only so that messages_after_append queue
  // behind earlier writes. Then, and only then, `append_ack` must be given back, in order.
  bool needs_append = false;
  AppendAck append_ack;
  // needs_append, but only because the commit index moved: nothing waits for this write. It may be
  // put off and go with a later one, its ack before the later one's.
  bool commit_only = false;

  // Nothing to write: with no earlier append outstanding it counts as durable at once.
  bool nothing_to_write() const { return !hard_state && !snapshot && entries.empty(); }
};

}  // namespace kvorum::raft

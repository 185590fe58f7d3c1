#pragma once
// The raft log's record types, shared by `raft/` (which orders them) and `wal/` (which stores
// them), so that neither depends on the other and no conversion stands between them. Mirrors
// raftpb.Entry and raftpb.HardState (go.etcd.io/raft raftpb/raft.proto).

#include "base/bytes.h"
#include "base/types.h"

namespace kvorum {

enum class EntryType : uint8_t {
  kNormal = 0,        // payload: etcdserverpb.InternalRaftRequest, or empty (start of a term)
  kConfChange = 1,    // payload: raftpb.ConfChange
  kConfChangeV2 = 2,  // payload: raftpb.ConfChangeV2; never logged by a server, see raft/raft.h
};

struct LogEntry {
  EntryType type = EntryType::kNormal;
  Term term;
  Index index;
  SharedBytes data;

  friend bool operator==(const LogEntry&, const LogEntry&) = default;
};

// What a member must not forget: the term it is in, whom it voted for there, what it knows
// committed.
struct HardState {
  Term term;
  MemberId vote;
  Index commit;

  bool empty() const { return *this == HardState(); }
  friend bool operator==(const HardState&, const HardState&) = default;
};

}  // namespace kvorum

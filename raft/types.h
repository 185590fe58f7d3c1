#pragma once
// The vocabulary of the raft core: messages, snapshots, roles, identities of entries.
//
// Entries and HardState are the structs of base/log_entry.h, shared with the write-ahead log.
// Configurations and configuration changes are the wire's own messages (raftpb::ConfState,
// ConfChange, ConfChangeV2), because they travel from here into WAL, snapshots and store unchanged.
// Message is a struct of its own: typed ids, entries whose payloads are shared instead of copied.

#include <memory>
#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/log_entry.h"
#include "base/types.h"
#include "proto/raft.pb.h"

namespace kvorum::raft {

using Entry = LogEntry;
using ConfState = raftpb::ConfState;
using ConfChange = raftpb::ConfChange;
using ConfChangeV2 = raftpb::ConfChangeV2;

// "No member": no leader known, no vote given.
inline constexpr MemberId kNone{0};

// The number is the wire's (raftpb.MessageType).
enum class MessageType : uint8_t {
  kHup = 0,              // local: start an election
  kBeat = 1,             // local: leader's heartbeat tick
  kProp = 2,             // proposal, forwarded to the leader; carries no term
  kApp = 3,              // leader: entries after (log_term, index)
  kAppResp = 4,          // follower: accepted up to index, or rejected with a hint
  kVote = 5,             // candidate: asks for a vote
  kVoteResp = 6,         // answer to kVote
  kSnap = 7,             // leader: a snapshot instead of entries no longer there
  kHeartbeat = 8,        // leader: alive; commit bounded by the follower's match; read counter
  kHeartbeatResp = 9,    // follower: echoes the context
  kUnreachable = 10,     // local: transport could not deliver
  kSnapStatus = 11,      // local: transport finished (reject: failed) sending a snapshot
  kCheckQuorum = 12,     // local: leader tests that a quorum was active
  kTransferLeader = 13,  // asks the leader to hand over to `from`
  kTimeoutNow = 14,      // leader tells its successor to campaign at once
  kReadIndex = 15,       // read request, forwarded to the leader; carries no term
  kReadIndexResp = 16,   // leader's answer to a forwarded kReadIndex
  kPreVote = 17,         // pre-candidate: would you vote for me?
  kPreVoteResp = 18,     // answer to kPreVote
  kStorageAppend = 19,   // 19..22: the reference's local storage messages; never stepped here
  kStorageAppendResp = 20,
  kStorageApply = 21,
  kStorageApplyResp = 22,
  kForgetLeader = 23,  // follower: forget the leader, so that a vote may be granted
};
inline constexpr int kMessageTypeCount = 24;

// "MsgApp", as the reference names them in logs and metrics.
std::string_view Name(MessageType type);
// Messages that make sense only inside one member; dropped when a peer sends one.
bool IsLocalMessage(MessageType type);
// Messages that answer something; dropped when their sender is not in the configuration.
bool IsResponseMessage(MessageType type);

struct SnapshotMetadata {
  Index index;  // last entry the snapshot covers
  Term term;    // of that entry
  ConfState conf_state;
};

// Immutable once built and shared. `data` is opaque here; a server may send other bytes in its
// place as long as they cover at least `metadata.index`.
struct Snapshot {
  SnapshotMetadata metadata;
  SharedBytes data;
};
using SnapshotPtr = std::shared_ptr<const Snapshot>;

// One raft message. Which fields count for which type: the comments of MessageType and step_*.cc; a
// field a type does not use is zero. `term` 0 means "no term" (kProp, kReadIndex, local messages).
struct Message {
  MessageType type = MessageType::kHup;
  MemberId to;
  MemberId from;
  Term term;
  Term log_term;  // term of the entry at `index`
  Index index;
  std::vector<Entry> entries;
  Index commit;
  SnapshotPtr snapshot;
  bool reject = false;
  Index reject_hint;
  SharedBytes context;
};

// Identity of an entry: two entries with the same id have the same payload and the same prefix.
struct EntryId {
  Term term;
  Index index;
  friend bool operator==(const EntryId&, const EntryId&) = default;
};
inline EntryId IdOf(const Entry& e) { return {.term = e.term, .index = e.index}; }

enum class Role : uint8_t { kFollower = 0, kCandidate = 1, kLeader = 2, kPreCandidate = 3 };
// "StateFollower", as the reference prints it.
std::string_view Name(Role role);

// What need not survive a crash: who leads, and what this member is.
struct SoftState {
  MemberId leader;
  Role role = Role::kFollower;
  friend bool operator==(const SoftState&, const SoftState&) = default;
};

// Answer to a ReadIndex(context): a read is linearizable once the store has applied `index`.
struct ReadState {
  Index index;
  SharedBytes context;
};

// Bytes of `e` encoded as raftpb.Entry: the unit of every size limit on entries.
uint64_t EncodedSize(const Entry& e);
uint64_t EncodedSize(const std::vector<Entry>& entries);
// Bytes of payload alone: the unit of the uncommitted-size limit. An empty entry costs nothing.
uint64_t PayloadSize(const std::vector<Entry>& entries);

// True for EntryType::kConfChange and kConfChangeV2.
bool IsConfChange(const Entry& e);
// Same members in the same roles, whatever the order in the lists.
bool Equivalent(const ConfState& a, const ConfState& b);

}  // namespace kvorum::raft

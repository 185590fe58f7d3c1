#pragma once
// raft::Message and its protobuf bytes (raftpb.Message), both ways, without a message object of
// Protobuf in between: a payload is copied once, from the log's buffer to the output or from the
// input into its own buffer.
//
// Written: what is not zero, and the type of messages and entries always. Read: any order, unknown
// fields skipped, fields left out are zero, as old and new peers have it. A snapshot counts with
// kSnap only; older peers send an empty one with every message.
//
// Threads: pure functions. Follows go.etcd.io/raft raftpb/raft.proto.

#include <cstddef>
#include <string>
#include <string_view>

#include "base/status.h"
#include "raft/types.h"

namespace kvorum::server::peer {

// What a decoded entry counts for in limits beside its bytes: many empty ones are not free.
inline constexpr size_t kEntryOverheadBytes = 128;

size_t MessageSize(const raft::Message& message);
void AppendMessage(std::string* out, const raft::Message& message);
size_t EntrySize(const raft::Entry& entry);
void AppendEntry(std::string* out, const raft::Entry& entry);

// InvalidArgument for bytes that are not one, or whose entries count for more than
// kMaxMessageBytes. A message of a type nobody knows comes back as kHup, which raft drops when a
// peer sends it.
StatusOr<raft::Message> DecodeMessage(std::string_view bytes);
// InvalidArgument also for an entry of unknown type: to take it for another would be wrong.
StatusOr<raft::Entry> DecodeEntry(std::string_view bytes);

// What streams send to show that they are alive: a heartbeat from nobody to nobody.
bool IsLinkHeartbeat(const raft::Message& message);

}  // namespace kvorum::server::peer

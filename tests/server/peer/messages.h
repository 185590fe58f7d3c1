#pragma once
// Raft messages for tests of their codecs.

#include <string>

#include "base/random.h"
#include "proto/raft.pb.h"
#include "raft/types.h"

namespace kvorum::server::peer {

raft::Entry RandomEntry(Random& random);
// Of any type; a snapshot only with kSnap.
raft::Message RandomMessage(Random& random);
// An append by `term` after (log_term, index), with up to five entries that follow it.
raft::Message AppendOf(Random& random, Term term, Term log_term, Index index);

raft::Message FromProtobuf(const raftpb::Message& message);

bool Same(const raft::Message& a, const raft::Message& b);
std::string Text(const raft::Message& message);

}  // namespace kvorum::server::peer

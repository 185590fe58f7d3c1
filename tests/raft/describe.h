#pragma once
// What happens in a cluster, in one line each, for transcripts. An entry is INDEX@TERM and what it
// holds: `3@1 "a"`, `4@1 add 4`, `5@2` for an empty one.

#include <string>

#include "raft/raft.h"

namespace kvorum::raft::testing {

std::string Describe(const Entry& e);
// "1@1, 2@1 "a"".
std::string Describe(const std::vector<Entry>& entries);
// "1->2 App term 1 prev 0@0 [1@1] commit 0".
std::string Describe(const Message& m);
// "leader, syncs term 1 vote 1 [2@1], reads "x" at 1"; empty if there are only messages and
// committed entries. Writes that need no sync are "writes".
std::string Describe(const Ready& ready);
// "1 leader term 1 vote 1 lead 1 log 1-2 commit 2 applied 2 voters=(1 2 3)".
std::string DescribeState(const RawNode& node, Index first);

}  // namespace kvorum::raft::testing

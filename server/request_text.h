#pragma once
// Requests as text for the log, in the form of Go's protobuf library: `key:"a" value_size:3`.
// Values are replaced by their sizes and passwords left out, so a line shows no data. Follows etcd
// api/etcdserverpb/raft_internal_stringer.go.

#include <google/protobuf/message.h>

#include <string>

#include "proto/raft_internal.pb.h"

namespace kvorum::server {

// A line gets no more than this of one request, and "..." for the rest.
inline constexpr size_t kMaxRequestTextBytes = 16 << 10;

// A message of a client: PutRequest, TxnRequest, RangeRequest, ...
std::string RequestText(const google::protobuf::Message& request);

// A logged entry, with its header.
std::string EntryText(const etcdserverpb::InternalRaftRequest& entry);

}  // namespace kvorum::server

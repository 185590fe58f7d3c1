#pragma once
// The one table that turns a server::Error into what a client sees: a gRPC code and etcd's exact
// text.
//
// Clients match on the text, so it is never composed, prefixed or translated elsewhere. Two errors
// travel as Unknown although etcd's client library files them under another code: the original
// sends them without a status. Follows etcd api/v3rpc/rpctypes/error.go and
// server/etcdserver/api/v3rpc/util.go.

#include <grpcpp/support/status.h>

#include <string>
#include <string_view>

#include "server/errors.h"

namespace kvorum::api {

// Code and text of `error`; the text lives for ever.
struct ErrorEntry {
  grpc::StatusCode code;
  std::string_view text;
};
ErrorEntry DescribeError(server::Error error);

// What a call that failed with `error` ends with; OK for kOk.
grpc::Status ToStatus(server::Error error);

}  // namespace kvorum::api

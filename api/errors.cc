#include "api/errors.h"

namespace kvorum::api {

ErrorEntry DescribeError(server::Error error) {
  using grpc::StatusCode;
  using server::Error;
  // In the order of server/errors.h; -Wswitch names a missing one.
  switch (error) {
    case Error::kOk:
      return {StatusCode::OK, ""};
    case Error::kEmptyKey:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: key is not provided"};
    case Error::kKeyNotFound:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: key not found"};
    case Error::kValueProvided:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: value is provided"};
    case Error::kLeaseProvided:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: lease is provided"};
    case Error::kTooManyOps:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: too many operations in txn request"};
    case Error::kDuplicateKey:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: duplicate key given in txn request"};
    case Error::kInvalidClientApiVersion:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: invalid client api version"};
    case Error::kInvalidSortOption:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: invalid sort option"};
    case Error::kCompacted:
      return {StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision has been compacted"};
    case Error::kFutureRevision:
      return {StatusCode::OUT_OF_RANGE, "etcdserver: mvcc: required revision is a future revision"};
    case Error::kNoSpace:
      return {StatusCode::RESOURCE_EXHAUSTED, "etcdserver: mvcc: database space exceeded"};
    case Error::kCorrupt:
      return {StatusCode::DATA_LOSS, "etcdserver: corrupt cluster"};
    case Error::kLeaseNotFound:
      return {StatusCode::NOT_FOUND, "etcdserver: requested lease not found"};
    case Error::kLeaseExists:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: lease already exists"};
    case Error::kLeaseTtlTooLarge:
      return {StatusCode::OUT_OF_RANGE, "etcdserver: too large lease TTL"};
    case Error::kNotPrimaryLessor:
      return {StatusCode::UNKNOWN, "not a primary lessor"};
    case Error::kWatchCanceled:
      return {StatusCode::CANCELLED, "etcdserver: watch canceled"};
    case Error::kMemberExists:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: member ID already exist"};
    case Error::kPeerUrlExists:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: Peer URLs already exists"};
    case Error::kMemberNotEnoughStarted:
      return {StatusCode::UNKNOWN,
              "etcdserver: re-configuration failed due to not enough started members"};
    case Error::kMemberBadUrls:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: given member URLs are invalid"};
    case Error::kMemberNotFound:
      return {StatusCode::NOT_FOUND, "etcdserver: member not found"};
    case Error::kMemberNotLearner:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: can only promote a learner member"};
    case Error::kLearnerNotReady:
      return {StatusCode::FAILED_PRECONDITION,
              "etcdserver: can only promote a learner member which is in sync with leader"};
    case Error::kTooManyLearners:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: too many learner members in cluster"};
    case Error::kClusterIdMismatch:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: cluster ID mismatch"};
    case Error::kNotSupportedForLearner:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: rpc not supported for learner"};
    case Error::kBadLeaderTransferee:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: bad leader transferee"};
    case Error::kRequestTooLarge:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large"};
    case Error::kTooManyRequests:
      return {StatusCode::UNKNOWN, "etcdserver: too many requests"};
    case Error::kNoLeader:
      return {StatusCode::UNAVAILABLE, "etcdserver: no leader"};
    case Error::kNotLeader:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: not leader"};
    case Error::kLeaderChanged:
      return {StatusCode::UNAVAILABLE, "etcdserver: leader changed"};
    case Error::kNotCapable:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: not capable"};
    case Error::kStopped:
      return {StatusCode::UNAVAILABLE, "etcdserver: server stopped"};
    case Error::kTimeout:
      return {StatusCode::UNAVAILABLE, "etcdserver: request timed out"};
    case Error::kTimeoutDueToLeaderFail:
      return {StatusCode::UNAVAILABLE,
              "etcdserver: request timed out, possibly due to previous leader failure"};
    case Error::kTimeoutDueToConnectionLost:
      return {StatusCode::UNAVAILABLE,
              "etcdserver: request timed out, possibly due to connection lost"};
    case Error::kTimeoutWaitAppliedIndex:
      return {StatusCode::UNAVAILABLE,
              "etcdserver: request timed out, waiting for the applied index took too long"};
    case Error::kTimeoutLeaderTransfer:
      return {StatusCode::UNKNOWN, "etcdserver: request timed out, leader transfer took too long"};
    case Error::kUnhealthy:
      return {StatusCode::UNAVAILABLE, "etcdserver: unhealthy cluster"};
    case Error::kCanceled:
      return {StatusCode::CANCELLED, "etcdserver: request canceled"};
    case Error::kContextCanceled:
      return {StatusCode::CANCELLED, "context canceled"};
    case Error::kDeadlineExceeded:
      return {StatusCode::DEADLINE_EXCEEDED, "context deadline exceeded"};
    case Error::kProposalDropped:
      return {StatusCode::UNKNOWN, "raft proposal dropped"};
    case Error::kUnimplemented:
      return {StatusCode::UNIMPLEMENTED, "etcdserver: not implemented by this server"};
    case Error::kDiskFull:
      return {StatusCode::UNKNOWN, "etcdserver: no space left on device"};
    case Error::kInternal:
      return {StatusCode::INTERNAL, "etcdserver: internal error, see the server's log"};
  }
  return {StatusCode::INTERNAL, "etcdserver: unknown error"};
}

grpc::Status ToStatus(server::Error error) {
  if (error == server::Error::kOk) return grpc::Status::OK;
  const ErrorEntry entry = DescribeError(error);
  return grpc::Status(entry.code, std::string(entry.text));
}

}  // namespace kvorum::api

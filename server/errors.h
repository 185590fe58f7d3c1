#pragma once
// Every failure a client can be told about, by etcd's name (etcd api/v3rpc/rpctypes/error.go). The
// server and its modules speak in these; their gRPC code and exact text stand in one place only,
// api/errors.cc.

namespace kvorum::server {

enum class Error {
  kOk = 0,
  // Shape of a request.
  kEmptyKey,
  kKeyNotFound,
  kValueProvided,
  kLeaseProvided,
  kTooManyOps,
  kDuplicateKey,
  kInvalidClientApiVersion,
  kInvalidSortOption,
  // Store.
  kCompacted,
  kFutureRevision,
  kNoSpace,
  kCorrupt,
  // Leases.
  kLeaseNotFound,
  kLeaseExists,
  kLeaseTtlTooLarge,
  kNotPrimaryLessor,
  // Watch.
  kWatchCanceled,
  // Membership.
  kMemberExists,
  kPeerUrlExists,
  kMemberNotEnoughStarted,
  kMemberBadUrls,
  kMemberNotFound,
  kMemberNotLearner,
  kLearnerNotReady,
  kTooManyLearners,
  kClusterIdMismatch,
  kNotSupportedForLearner,
  kBadLeaderTransferee,
  // Flow.
  kRequestTooLarge,
  kTooManyRequests,
  kNoLeader,
  kNotLeader,
  kLeaderChanged,
  kNotCapable,
  kStopped,
  kTimeout,
  kTimeoutDueToLeaderFail,
  kTimeoutDueToConnectionLost,
  kTimeoutWaitAppliedIndex,
  kTimeoutLeaderTransfer,
  kUnhealthy,
  kCanceled,          // the client went away while its write was under way
  kContextCanceled,   // the client went away while waiting for a read
  kDeadlineExceeded,  // the client's deadline passed
  kProposalDropped,
  // A function that this build refuses: answered Unimplemented, never half done.
  kUnimplemented,
  kDiskFull,  // no room to rewrite a file of the store
  // A bug or a broken disk seen by one request only.
  kInternal,
};

}  // namespace kvorum::server

#pragma once
// Applier: what a committed request does to the state. The state has one (backend_applier.h); the
// reasons to refuse a request, or to answer otherwise than it went, are wrappers around it:
//
//   AlarmApplier(QuotaApplier(BackendApplier))
//
// Every member applies the same requests to the same state and so must decide alike: a wrapper may
// look at replicated state (alarms, and later users and roles) to refuse. What differs between
// members (their quota) may only change the answer.
//
// Threads: the apply stage. Follows etcd server/etcdserver/apply.

#include "proto/raft_internal.pb.h"
#include "server/errors.h"
#include "server/server.h"

namespace kvorum::server {

struct ApplyContext {
  // Somebody waits for the response.
  bool want_response = false;
};

struct ApplyResult {
  Error error = Error::kOk;
  ApplyResponse response;
  // This member is out of space and should say so to the cluster.
  bool raise_no_space = false;
};

class Applier {
 public:
  virtual ~Applier() = default;
  virtual ApplyResult Apply(const etcdserverpb::InternalRaftRequest& request,
                            const ApplyContext& context) = 0;
};

// What a request is, where only one of its fields may be set.
enum class RequestKind {
  kNone,  // no field that we know
  kRange,
  kPut,
  kDeleteRange,
  kTxn,
  kCompaction,
  kLeaseGrant,
  kLeaseRevoke,
  kLeaseCheckpoint,
  kAlarm,
  kClusterVersionSet,
  kMemberAttrSet,
  kNotServed,  // known, and not served by this build
};
RequestKind KindOf(const etcdserverpb::InternalRaftRequest& request);
// The name of the field that is set, for the log; "" if none is.
std::string FieldNameOf(const etcdserverpb::InternalRaftRequest& request);

}  // namespace kvorum::server

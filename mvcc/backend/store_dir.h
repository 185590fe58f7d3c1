#pragma once
// Which directory holds the state, and whose state it is.
//
//   member/STORE        one line, the name of the current one: "store-0\n"
//   member/store-<n>/   a RocksDB directory; n is 0 at birth, the snapshot's index afterwards
//
// A new store (birth, received snapshot, import) is built and flushed in a directory of its own and
// becomes current by the rename of STORE and a sync of member/. So a crash at any point leaves
// either the old store or the new one; directories that STORE does not name are leftovers.

#include <cstdint>
#include <memory>
#include <string>

#include "base/env.h"
#include "base/status.h"
#include "base/types.h"
#include "mvcc/backend/backend.h"

namespace kvorum::mvcc {

// Whose state this is; carried in the store, compared with the WAL's metadata.
struct StoreIdentity {
  ClusterId cluster;
  MemberId member;
  friend bool operator==(const StoreIdentity&, const StoreIdentity&) = default;
};

struct StoreDirOptions {
  Env* env = nullptr;
  std::string member_dir;
  StoreIdentity identity;
  BackendOptions backend;  // env, directory and create are set by the calls below
};

// The directory STORE names; NotFound when the member has none yet.
StatusOr<std::string> CurrentStoreDir(Env& env, const std::string& member_dir);

// Opens the current store. FailedPrecondition when it belongs to another cluster or member.
StatusOr<std::unique_ptr<Backend>> OpenStoreDir(const StoreDirOptions& options);

// Makes an empty store in member/store-<n>, with identity rows, flushed but not yet current. A
// leftover of the same name is removed first.
StatusOr<std::unique_ptr<Backend>> CreateStoreDir(const StoreDirOptions& options, uint64_t n);
// Makes store-<n>, flushed before by the caller, the current one. Durable on return.
Status PublishStoreDir(Env& env, const std::string& member_dir, uint64_t n);
// Removes store-<n>, which must neither be open nor the current one; OK if there is none.
Status RemoveStoreDir(Env& env, const std::string& member_dir, uint64_t n);
// Removes every store-<n> that STORE does not name.
Status RemoveStaleStoreDirs(Env& env, const std::string& member_dir);

}  // namespace kvorum::mvcc

#pragma once
// The buckets and rows of the state, named as in etcd's database file.
//
// A backend key is a one-byte tag followed by etcd's bucket key. Tags are numbered in the byte
// order of the bucket names, so one scan meets rows in the order a bbolt file has them (the hashes
// and the exchange format need that order). Rows of our own lie under kLocal, after all of them,
// and are outside every hash and export.
//
// Follows etcd server/storage/schema/bucket.go.

#include <cstdint>
#include <string>
#include <string_view>

namespace kvorum::mvcc {

enum class Bucket : uint8_t {
  kAlarm = 1,
  kAuth = 2,
  kAuthRoles = 3,
  kAuthUsers = 4,
  kCluster = 5,
  kKey = 6,
  kLease = 7,
  kMembers = 8,
  kMembersRemoved = 9,
  kMeta = 10,
  kLocal = 64,
};
inline constexpr Bucket kEtcdBuckets[] = {
    Bucket::kAlarm, Bucket::kAuth,  Bucket::kAuthRoles, Bucket::kAuthUsers,      Bucket::kCluster,
    Bucket::kKey,   Bucket::kLease, Bucket::kMembers,   Bucket::kMembersRemoved, Bucket::kMeta,
};

// etcd's name of the bucket ("authRoles"); "" for kLocal, which etcd does not know.
std::string_view BucketName(Bucket bucket);

// Rows of Bucket::kMeta. Integers are 8 bytes big-endian, revisions 17-byte row keys.
inline constexpr std::string_view kConsistentIndexKey = "consistent_index";
inline constexpr std::string_view kTermKey = "term";
inline constexpr std::string_view kConfStateKey = "confState";            // JSON
inline constexpr std::string_view kStorageVersionKey = "storageVersion";  // "3.7.0"
inline constexpr std::string_view kScheduledCompactKey = "scheduledCompactRev";
inline constexpr std::string_view kFinishedCompactKey = "finishedCompactRev";

// A row of Bucket::kAuth: how often users and roles have changed, from 1 on, 8 bytes big-endian.
inline constexpr std::string_view kAuthRevisionKey = "authRevision";

// Rows of Bucket::kLocal.
// Followed by 8 bytes of chunk number: a piece of the set of dead revisions, see compaction.h.
inline constexpr std::string_view kDeadKeyPrefix = "dead/";
inline constexpr std::string_view kDeadGenerationKey = "dead_generation";
inline constexpr std::string_view kCountersKey = "counters";  // see Counters in backend.h
inline constexpr std::string_view kClusterIdKey = "cluster_id";
inline constexpr std::string_view kMemberIdKey = "member_id";

// What a row counts for in the sizes: its bytes and a fixed share of a page.
inline constexpr int64_t kRowOverheadBytes = 16;
constexpr int64_t LogicalRowBytes(size_t key_bytes, size_t value_bytes) {
  return static_cast<int64_t>(key_bytes + value_bytes) + kRowOverheadBytes;
}
// The few rows of `meta` change with every commit and are left out, as are our own.
constexpr bool CountsForSize(Bucket bucket) {
  return bucket != Bucket::kMeta && bucket != Bucket::kLocal;
}
// What an empty store counts for, about the reference's empty file.
inline constexpr int64_t kEmptyStoreBytes = 20480;

// Tag + key, as the backend stores it.
std::string BackendKey(Bucket bucket, std::string_view key);

}  // namespace kvorum::mvcc

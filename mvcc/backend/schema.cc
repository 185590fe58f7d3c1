#include "mvcc/backend/schema.h"

namespace kvorum::mvcc {

std::string_view BucketName(Bucket bucket) {
  switch (bucket) {
    case Bucket::kAlarm:
      return "alarm";
    case Bucket::kAuth:
      return "auth";
    case Bucket::kAuthRoles:
      return "authRoles";
    case Bucket::kAuthUsers:
      return "authUsers";
    case Bucket::kCluster:
      return "cluster";
    case Bucket::kKey:
      return "key";
    case Bucket::kLease:
      return "lease";
    case Bucket::kMembers:
      return "members";
    case Bucket::kMembersRemoved:
      return "members_removed";
    case Bucket::kMeta:
      return "meta";
    case Bucket::kLocal:
      return "";
  }
  return "";
}

std::string BackendKey(Bucket bucket, std::string_view key) {
  std::string out;
  out.reserve(1 + key.size());
  out.push_back(static_cast<char>(bucket));
  out.append(key);
  return out;
}

}  // namespace kvorum::mvcc

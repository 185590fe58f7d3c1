#include "server/lease/lease.h"

#include "base/bytes.h"
#include "proto/lease.pb.h"

namespace kvorum::server {

std::string EncodeLeaseKey(LeaseId id) {
  std::string key;
  AppendBigEndian64(&key, static_cast<uint64_t>(id.value()));
  return key;
}

std::string EncodeLease(const Lease& lease) {
  leasepb::Lease row;
  row.set_id(lease.id.value());
  row.set_ttl(lease.ttl_seconds);
  row.set_remainingttl(lease.remaining_seconds);
  return row.SerializeAsString();
}

std::optional<Lease> DecodeLease(std::string_view value) {
  leasepb::Lease row;
  if (!row.ParseFromArray(value.data(), static_cast<int>(value.size()))) return std::nullopt;
  Lease lease;
  lease.id = LeaseId(row.id());
  lease.ttl_seconds = row.ttl();
  lease.remaining_seconds = row.remainingttl();
  return lease;
}

}  // namespace kvorum::server

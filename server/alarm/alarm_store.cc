#include "server/alarm/alarm_store.h"

#include <string>
#include <utility>

#include "base/check.h"
#include "base/metrics.h"

namespace kvorum::server {
namespace {

using etcdserverpb::AlarmMember;
using etcdserverpb::AlarmType;

AlarmMember MakeAlarm(MemberId member, int type) {
  AlarmMember alarm;
  alarm.set_memberid(member.value());
  alarm.set_alarm(static_cast<AlarmType>(type));
  return alarm;
}

// The whole row is its key.
std::string RowOf(MemberId member, AlarmType type) {
  return MakeAlarm(member, type).SerializeAsString();
}

void Show(MemberId member, AlarmType type, bool raised) {
  metrics::Default()
      .AddGauge("etcd_debugging_server_alarms",
                "Alarms for every member in cluster. 1 for 'server_id' label with current ID. 2 "
                "for 'alarm_type' label with type of this alarm",
                {{"server_id", HexId(member)}, {"alarm_type", etcdserverpb::AlarmType_Name(type)}})
      .Set(raised ? 1 : 0);
}

}  // namespace

Status AlarmStore::Load(mvcc::Backend& backend) {
  absl::MutexLock lock(&mutex_);
  for (const auto& [type, member] : std::exchange(alarms_, {})) {
    Show(member, static_cast<AlarmType>(type), false);
  }
  const auto rows = backend.NewIterator(mvcc::Bucket::kAlarm);
  for (; rows->Valid(); rows->Next()) {
    AlarmMember alarm;
    if (!alarm.ParseFromArray(rows->key().data(), static_cast<int>(rows->key().size()))) {
      return absl::DataLossError("an alarm's row does not parse");
    }
    alarms_.emplace(alarm.alarm(), MemberId(alarm.memberid()));
    Show(MemberId(alarm.memberid()), alarm.alarm(), true);
  }
  return rows->status();
}

void AlarmStore::Activate(MemberId member, AlarmType type, mvcc::Batch& batch) {
  CHECK_NE(type, etcdserverpb::NONE);
  absl::MutexLock lock(&mutex_);
  if (!alarms_.emplace(type, member).second) return;
  batch.Put(mvcc::Bucket::kAlarm, RowOf(member, type), "");
  Show(member, type, true);
}

bool AlarmStore::Deactivate(MemberId member, AlarmType type, mvcc::Batch& batch) {
  absl::MutexLock lock(&mutex_);
  if (alarms_.erase({type, member}) == 0) return false;
  batch.Delete(mvcc::Bucket::kAlarm, RowOf(member, type));
  Show(member, type, false);
  return true;
}

std::vector<AlarmMember> AlarmStore::Get(AlarmType type) const {
  absl::MutexLock lock(&mutex_);
  std::vector<AlarmMember> found;
  for (const auto& [kind, member] : alarms_) {
    if (type == etcdserverpb::NONE || type == kind) found.push_back(MakeAlarm(member, kind));
  }
  return found;
}

bool AlarmStore::Any(AlarmType type) const {
  absl::MutexLock lock(&mutex_);
  const auto it = alarms_.lower_bound({type, MemberId(0)});
  return it != alarms_.end() && it->first == type;
}

}  // namespace kvorum::server

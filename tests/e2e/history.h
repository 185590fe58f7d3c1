#pragma once
// What clients were told, and whether a member's history agrees with it.
//
// Every write of the load produces an Acknowledged record. After a crash the member is asked for
// its whole history above the last compaction (a watch), and Check() holds the two together: each
// acknowledged write stands at its revision with its value, all keys of a transaction are there or
// none is, and revisions follow each other without a gap.

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "proto/rpc.grpc.pb.h"

namespace kvorum::e2e {

// What one revision did to one key; `value` is empty when it was deleted.
struct Change {
  std::string value;
  bool deleted = false;
  friend bool operator==(const Change&, const Change&) = default;
};
using Changes = std::map<std::string, Change>;

// Thread-safe.
class Acknowledged {
 public:
  void Record(int64_t revision, Changes changes);
  int64_t count() const;
  // False if `count` records are not there within `timeout`.
  bool WaitForCount(int64_t count, std::chrono::seconds timeout);
  int64_t last_revision() const;
  std::map<int64_t, Changes> Take() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable more_;
  std::map<int64_t, Changes> by_revision_;
};

// All changes in (compacted, current], by revision, as a watch from there reports them.
std::map<int64_t, Changes> ReadHistory(etcdserverpb::Watch::Stub* stub, int64_t first_revision,
                                       int64_t current_revision);

// Differences between what was acknowledged from `first_revision` on and what is there; empty =
// none. `pair_prefix`: keys below it are written in pairs ("<prefix>x/0" and "<prefix>x/1") of one
// value by one transaction each.
std::vector<std::string> Compare(const std::map<int64_t, Changes>& acknowledged,
                                 const std::map<int64_t, Changes>& history, int64_t first_revision,
                                 int64_t current_revision, const std::string& pair_prefix);

}  // namespace kvorum::e2e

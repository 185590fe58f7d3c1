#include "tests/e2e/history.h"

#include <grpcpp/grpcpp.h>

#include <iostream>

namespace kvorum::e2e {

void Acknowledged::Record(int64_t revision, Changes changes) {
  std::lock_guard lock(mutex_);
  by_revision_.emplace(revision, std::move(changes));
  more_.notify_all();
}

bool Acknowledged::WaitForCount(int64_t count, std::chrono::seconds timeout) {
  std::unique_lock lock(mutex_);
  return more_.wait_for(lock, timeout,
                        [&] { return static_cast<int64_t>(by_revision_.size()) >= count; });
}

int64_t Acknowledged::count() const {
  std::lock_guard lock(mutex_);
  return static_cast<int64_t>(by_revision_.size());
}

int64_t Acknowledged::last_revision() const {
  std::lock_guard lock(mutex_);
  return by_revision_.empty() ? 0 : by_revision_.rbegin()->first;
}

std::map<int64_t, Changes> Acknowledged::Take() const {
  std::lock_guard lock(mutex_);
  return by_revision_;
}

std::map<int64_t, Changes> ReadHistory(etcdserverpb::Watch::Stub* stub, int64_t first_revision,
                                       int64_t current_revision) {
  std::map<int64_t, Changes> history;
  if (first_revision > current_revision) return history;
  grpc::ClientContext context;
  auto stream = stub->Watch(&context);
  etcdserverpb::WatchRequest request;
  auto* create = request.mutable_create_request();
  create->set_key(std::string(1, '\0'));
  create->set_range_end(std::string(1, '\0'));
  create->set_start_revision(first_revision);
  stream->Write(request);
  etcdserverpb::WatchResponse response;
  // The last revision always shows: nothing but a write moves the current revision.
  while (history.empty() || history.rbegin()->first < current_revision) {
    if (!stream->Read(&response) || response.canceled()) {
      std::cerr << "watch ended early: " << response.ShortDebugString() << std::endl;
      break;
    }
    for (const auto& event : response.events()) {
      const bool deleted = event.type() == mvccpb::Event::DELETE;
      history[event.kv().mod_revision()][event.kv().key()] =
          Change{deleted ? "" : event.kv().value(), deleted};
    }
  }
  context.TryCancel();
  while (stream->Read(&response)) {
  }
  stream->Finish().error_code();
  return history;
}

namespace {

void ComparePairs(int64_t revision, const Changes& changes, const std::string& prefix,
                  std::vector<std::string>* differences) {
  for (const auto& [key, change] : changes) {
    if (!key.starts_with(prefix)) continue;
    std::string other = key;
    other.back() = key.back() == '0' ? '1' : '0';
    const auto it = changes.find(other);
    if (it == changes.end() || !(it->second == change)) {
      differences->push_back("revision " + std::to_string(revision) + ": " + key +
                             " without its twin: a transaction is half there");
    }
  }
}

}  // namespace

std::vector<std::string> Compare(const std::map<int64_t, Changes>& acknowledged,
                                 const std::map<int64_t, Changes>& history, int64_t first_revision,
                                 int64_t current_revision, const std::string& pair_prefix) {
  std::vector<std::string> differences;
  for (int64_t revision = first_revision; revision <= current_revision; ++revision) {
    const auto it = history.find(revision);
    if (it == history.end()) {
      differences.push_back("revision " + std::to_string(revision) + " is missing");
      continue;
    }
    ComparePairs(revision, it->second, pair_prefix, &differences);
  }
  for (auto it = acknowledged.lower_bound(first_revision); it != acknowledged.end(); ++it) {
    const auto found = history.find(it->first);
    if (found == history.end() || !(found->second == it->second)) {
      differences.push_back("acknowledged revision " + std::to_string(it->first) +
                            " is not what was written: " + it->second.begin()->first);
    }
  }
  return differences;
}

}  // namespace kvorum::e2e

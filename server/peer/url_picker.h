#pragma once
// UrlPicker: which of a member's URLs to use. It stays with one until that fails.
//
// Threads: any. Follows etcd rafthttp/urlpick.go.

#include <absl/base/thread_annotations.h>
#include <absl/synchronization/mutex.h>

#include <cstddef>
#include <utility>
#include <vector>

#include "server/peer/peer_url.h"

namespace kvorum::server::peer {

class UrlPicker {
 public:
  // REQUIRES: not empty.
  explicit UrlPicker(std::vector<PeerUrl> urls) : urls_(std::move(urls)) {}

  // Starts again with the first. REQUIRES: not empty.
  void Update(std::vector<PeerUrl> urls) {
    absl::MutexLock lock(&mutex_);
    urls_ = std::move(urls);
    picked_ = 0;
  }
  PeerUrl Pick() const {
    absl::MutexLock lock(&mutex_);
    return urls_[picked_];
  }
  // The next one's turn, unless somebody else has seen that before.
  void Unreachable(const PeerUrl& url) {
    absl::MutexLock lock(&mutex_);
    if (urls_[picked_].text == url.text) picked_ = (picked_ + 1) % urls_.size();
  }
  std::vector<PeerUrl> urls() const {
    absl::MutexLock lock(&mutex_);
    return urls_;
  }

 private:
  mutable absl::Mutex mutex_;
  std::vector<PeerUrl> urls_ ABSL_GUARDED_BY(mutex_);
  size_t picked_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace kvorum::server::peer

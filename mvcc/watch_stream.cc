#include "mvcc/watch_stream.h"

#include <utility>

namespace kvorum::mvcc {

bool WatchStreamCore::TrySend(WatchResponse&& response) {
  absl::MutexLock lock(&mutex);
  return sink == nullptr || sink->TrySend(std::move(response));
}

void WatchStreamCore::Answer(std::optional<WatchResponse> response) {
  absl::MutexLock lock(&mutex);
  if (sink != nullptr) sink->Answer(std::move(response));
}

void WatchStreamCore::Close() {
  absl::MutexLock lock(&mutex);
  sink = nullptr;
}

int64_t WatchStreamCore::TakeAutoId() {
  while (watchers.contains(next_auto_id)) ++next_auto_id;
  return next_auto_id++;
}

namespace {

// Turns every call into a request of the stage.
class StreamHandle final : public WatchStream {
 public:
  StreamHandle(WatchSink* sink, WatchInbox* inbox)
      : core_(std::make_shared<WatchStreamCore>(sink)), inbox_(inbox) {
    Push({.kind = WatchRequest::Kind::kOpen});
  }
  ~StreamHandle() override {
    core_->Close();
    Push({.kind = WatchRequest::Kind::kClose});
  }

  void Create(WatchCreate create) override {
    Push({.kind = WatchRequest::Kind::kCreate, .create = std::move(create)});
  }
  void Cancel(int64_t watch_id) override {
    Push({.kind = WatchRequest::Kind::kCancel, .watch_id = watch_id});
  }
  void RequestProgress() override { Push({.kind = WatchRequest::Kind::kProgress}); }
  void OnRoom() override {
    // The stage clears the flag before it looks at the victims, so no room is overlooked.
    if (!core_->room_signalled.exchange(true)) Push({.kind = WatchRequest::Kind::kRoom});
  }

 private:
  void Push(WatchRequest request) {
    request.stream = core_;
    inbox_->PushRequest(std::move(request));
  }

  const std::shared_ptr<WatchStreamCore> core_;
  WatchInbox* const inbox_;
};

}  // namespace

std::unique_ptr<WatchStream> NewWatchStream(WatchSink* sink, WatchInbox* inbox) {
  return std::make_unique<StreamHandle>(sink, inbox);
}

}  // namespace kvorum::mvcc

#include "tests/api/fake_watchable_store.h"

#include <utility>

namespace kvorum::api {

class FakeWatchableStore::Stream final : public mvcc::WatchStream {
 public:
  Stream(FakeWatchableStore* store, mvcc::WatchSink* sink) : store_(store), sink_(sink) {
    absl::MutexLock lock(&store_->mutex_);
    store_->streams_.insert(this);
  }
  ~Stream() override {
    absl::MutexLock lock(&store_->mutex_);
    store_->streams_.erase(this);
  }

  void Create(mvcc::WatchCreate create) override {
    mvcc::WatchResponse response;
    response.revision = Revision(5);
    response.created = true;
    response.watch_id = create.watch_id != 0 ? create.watch_id : next_id_++;
    if (create.start_revision < Revision(0)) {
      response.watch_id = mvcc::kInvalidWatchId;
      response.canceled = true;
      response.cancel_reason = "etcdserver: mvcc: required revision has been compacted";
    }
    {
      absl::MutexLock lock(&store_->mutex_);
      store_->creates_.push_back(std::move(create));
    }
    sink_->Answer(std::move(response));
  }
  void Cancel(int64_t watch_id) override {
    if (watch_id > 1000) {
      sink_->Answer(std::nullopt);
      return;
    }
    mvcc::WatchResponse response;
    response.revision = Revision(5);
    response.watch_id = watch_id;
    response.canceled = true;
    sink_->Answer(std::move(response));
  }
  void RequestProgress() override {
    if (store_->mute) return;
    mvcc::WatchResponse response;
    response.revision = Revision(5);
    response.watch_id = mvcc::kInvalidWatchId;
    sink_->Answer(std::move(response));
  }
  void OnRoom() override {
    absl::MutexLock lock(&store_->mutex_);
    store_->room_ = true;
  }

  mvcc::WatchSink* sink() const { return sink_; }

 private:
  FakeWatchableStore* const store_;
  mvcc::WatchSink* const sink_;
  int64_t next_id_ = 0;
};

bool FakeWatchableStore::Send(mvcc::WatchResponse response) {
  absl::MutexLock lock(&mutex_);
  return (*streams_.begin())->sink()->TrySend(std::move(response));
}

void FakeWatchableStore::AwaitStreams(size_t count) {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count] { return streams_.size() == count; };
  mutex_.Await(absl::Condition(&reached));
}

void FakeWatchableStore::AwaitRoom() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&room_));
}

std::vector<mvcc::WatchCreate> FakeWatchableStore::creates() {
  absl::MutexLock lock(&mutex_);
  return creates_;
}

std::unique_ptr<mvcc::WatchStream> FakeWatchableStore::NewStream(mvcc::WatchSink* sink) {
  return std::make_unique<Stream>(this, sink);
}

}  // namespace kvorum::api

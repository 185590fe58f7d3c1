#include "mvcc/read_epochs.h"

#include "base/check.h"

namespace kvorum::mvcc {

ReadEpochs::Guard& ReadEpochs::Guard::operator=(Guard&& other) noexcept {
  if (this == &other) return *this;
  Release();
  epochs_ = other.epochs_;
  epoch_ = other.epoch_;
  other.epochs_ = nullptr;
  return *this;
}

void ReadEpochs::Guard::Release() {
  if (epochs_ == nullptr) return;
  epochs_->Leave(epoch_);
  epochs_ = nullptr;
}

ReadEpochs::Guard ReadEpochs::Enter() {
  absl::MutexLock lock(&mutex_);
  ++inside_[current_];
  return Guard(this, current_);
}

int64_t ReadEpochs::Advance() {
  absl::MutexLock lock(&mutex_);
  return ++current_;
}

int64_t ReadEpochs::open() const {
  absl::MutexLock lock(&mutex_);
  int64_t reads = 0;
  for (const auto& [epoch, count] : inside_) reads += count;
  return reads;
}

bool ReadEpochs::QuietBefore(int64_t epoch) const {
  absl::MutexLock lock(&mutex_);
  return inside_.empty() || inside_.begin()->first >= epoch;
}

void ReadEpochs::Leave(int64_t epoch) {
  absl::MutexLock lock(&mutex_);
  const auto it = inside_.find(epoch);
  CHECK(it != inside_.end());
  if (--it->second == 0) inside_.erase(it);
}

}  // namespace kvorum::mvcc

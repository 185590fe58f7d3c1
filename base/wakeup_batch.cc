#include "base/wakeup_batch.h"

#include <algorithm>

#include "base/check.h"

namespace kvorum {
namespace {

thread_local WakeupBatch* batch_of_thread = nullptr;

}  // namespace

WakeupBatch::WakeupBatch() {
  CHECK(batch_of_thread == nullptr) << "the thread has a batch already";
  batch_of_thread = this;
}

WakeupBatch::~WakeupBatch() {
  batch_of_thread = nullptr;
  Flush();
}

bool WakeupBatch::Add(Target* target) {
  if (batch_of_thread == nullptr) return false;
  std::vector<Target*>& targets = batch_of_thread->targets_;
  if (std::find(targets.begin(), targets.end(), target) == targets.end()) {
    targets.push_back(target);
  }
  return true;
}

void WakeupBatch::Flush() {
  for (Target* const target : targets_) target->WakeIfFilled();
  targets_.clear();
}

}  // namespace kvorum

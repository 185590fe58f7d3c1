#include "server/waiter.h"

#include <algorithm>
#include <functional>

namespace kvorum::server {

void ResumeOne(Waiter* waiter, Error error) {
  waiter->error = error;
  Waiter* const one[] = {waiter};
  waiter->resumer().Resume(one);
}

void ResumeAll(std::span<Waiter*> waiters) {
  if (waiters.empty()) return;
  // Stable, so that calls are resumed in the order their entries were applied.
  std::stable_sort(waiters.begin(), waiters.end(), [](const Waiter* a, const Waiter* b) {
    return std::less<const Resumer*>()(&a->resumer(), &b->resumer());
  });
  size_t first = 0;
  while (first < waiters.size()) {
    Resumer& resumer = waiters[first]->resumer();
    size_t last = first + 1;
    while (last < waiters.size() && &waiters[last]->resumer() == &resumer) ++last;
    resumer.Resume(waiters.subspan(first, last - first));
    first = last;
  }
}

}  // namespace kvorum::server

// Tells ThreadSanitizer what absl::Mutex orders. Linked into every binary of the tsan preset, and
// into nothing else.
//
// The packaged Abseil is not instrumented, so ThreadSanitizer sees neither its atomics nor the
// annotations its sources would make, and reports every pair of accesses that a Mutex keeps apart
// as a race. The functions below take the place of Abseil's own at dynamic linking, for our code
// and for the libraries alike, call them, and add the two facts that matter: unlocking publishes,
// locking sees what was published.

#include <absl/synchronization/mutex.h>
#include <absl/synchronization/notification.h>
#include <dlfcn.h>
#include <sanitizer/tsan_interface.h>

#include <type_traits>

#include "base/check.h"

namespace {

// Abseil's function of that mangled name, behind ours.
template <typename Function>
Function* Original(const char* name) {
  void* const address = dlsym(RTLD_NEXT, name);
  CHECK(address != nullptr) << name;
  return reinterpret_cast<Function*>(address);
}

using absl::Condition;
using absl::CondVar;
using absl::Mutex;

void Acquire(Mutex* mutex) { __tsan_acquire(mutex); }
void Release(Mutex* mutex) { __tsan_release(mutex); }

}  // namespace

// Members as the ABI sees them: `this` comes first. The mangled name contains the inline namespace
// of Debian's build.
#define KVORUM_ORIGINAL(function, prefix, mangled)        \
  static std::type_identity_t<function>* const original = \
      Original<function>(prefix "4absl7debian3" mangled)

namespace absl {
ABSL_NAMESPACE_BEGIN

void Mutex::Lock() {
  KVORUM_ORIGINAL(void(Mutex*), "_ZN", "5Mutex4LockEv");
  original(this);
  Acquire(this);
}
void Mutex::Unlock() {
  KVORUM_ORIGINAL(void(Mutex*), "_ZN", "5Mutex6UnlockEv");
  Release(this);
  original(this);
}
bool Mutex::TryLock() {
  KVORUM_ORIGINAL(bool(Mutex*), "_ZN", "5Mutex7TryLockEv");
  const bool locked = original(this);
  if (locked) Acquire(this);
  return locked;
}
void Mutex::ReaderLock() {
  KVORUM_ORIGINAL(void(Mutex*), "_ZN", "5Mutex10ReaderLockEv");
  original(this);
  Acquire(this);
}
// Orders readers among each other too, which is more than the truth: a write under a reader lock is
// not found.
void Mutex::ReaderUnlock() {
  KVORUM_ORIGINAL(void(Mutex*), "_ZN", "5Mutex12ReaderUnlockEv");
  Release(this);
  original(this);
}
bool Mutex::ReaderTryLock() {
  KVORUM_ORIGINAL(bool(Mutex*), "_ZN", "5Mutex13ReaderTryLockEv");
  const bool locked = original(this);
  if (locked) Acquire(this);
  return locked;
}

// Waiting gives the lock away and takes it back inside Abseil. A Condition is evaluated by whoever
// unlocks, after our Release: where a test under ThreadSanitizer comes by, wait on a CondVar
// instead.
void Mutex::Await(const Condition& condition) {
  KVORUM_ORIGINAL(void(Mutex*, const Condition&), "_ZN", "5Mutex5AwaitERKNS0_9ConditionE");
  Release(this);
  original(this, condition);
  Acquire(this);
}
void CondVar::Wait(Mutex* mutex) {
  KVORUM_ORIGINAL(void(CondVar*, Mutex*), "_ZN", "7CondVar4WaitEPNS0_5MutexE");
  Release(mutex);
  original(this, mutex);
  Acquire(mutex);
}
bool CondVar::WaitWithTimeout(Mutex* mutex, absl::Duration timeout) {
  KVORUM_ORIGINAL(bool(CondVar*, Mutex*, absl::Duration), "_ZN",
                  "7CondVar15WaitWithTimeoutEPNS0_5MutexENS0_8DurationE");
  Release(mutex);
  const bool timed_out = original(this, mutex, timeout);
  Acquire(mutex);
  return timed_out;
}
bool CondVar::WaitWithDeadline(Mutex* mutex, absl::Time deadline) {
  KVORUM_ORIGINAL(bool(CondVar*, Mutex*, absl::Time), "_ZN",
                  "7CondVar16WaitWithDeadlineEPNS0_5MutexENS0_4TimeE");
  Release(mutex);
  const bool timed_out = original(this, mutex, deadline);
  Acquire(mutex);
  return timed_out;
}

void Notification::Notify() {
  KVORUM_ORIGINAL(void(Notification*), "_ZN", "12Notification6NotifyEv");
  __tsan_release(this);
  original(this);
}
void Notification::WaitForNotification() const {
  KVORUM_ORIGINAL(void(const Notification*), "_ZNK", "12Notification19WaitForNotificationEv");
  original(this);
  __tsan_acquire(const_cast<Notification*>(this));
}

ABSL_NAMESPACE_END
}  // namespace absl

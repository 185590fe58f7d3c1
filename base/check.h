#pragma once
// CHECK(condition) << "details": ends the process when an invariant of our own is broken. On in
// every build. Never for what a client, a peer or a disk sent: those get a Status.
//
// The message goes to stderr as one zap-shaped JSON line of level "fatal" followed by the stack,
// then abort(). Usable on any thread, before logging is set up too.

#include <sstream>

namespace kvorum::check_internal {

class Failure {
 public:
  Failure(const char* file, int line, const char* condition);
  [[noreturn]] ~Failure();
  std::ostream& stream() { return stream_; }

 private:
  std::ostringstream stream_;
  const char* file_;
  int line_;
};

// Makes both branches of CHECK's conditional void; & binds weaker than <<.
struct Voidify {
  void operator&(std::ostream&) {}
};

}  // namespace kvorum::check_internal

#define CHECK(condition)                            \
  __builtin_expect(static_cast<bool>(condition), 1) \
      ? (void)0                                     \
      : ::kvorum::check_internal::Voidify() &       \
            ::kvorum::check_internal::Failure(__FILE__, __LINE__, #condition).stream()

#define CHECK_EQ(a, b) CHECK((a) == (b)) << "[" << (a) << " vs. " << (b) << "] "
#define CHECK_NE(a, b) CHECK((a) != (b)) << "[" << (a) << " vs. " << (b) << "] "
#define CHECK_LE(a, b) CHECK((a) <= (b)) << "[" << (a) << " vs. " << (b) << "] "
#define CHECK_LT(a, b) CHECK((a) < (b)) << "[" << (a) << " vs. " << (b) << "] "
#define CHECK_GE(a, b) CHECK((a) >= (b)) << "[" << (a) << " vs. " << (b) << "] "
#define CHECK_GT(a, b) CHECK((a) > (b)) << "[" << (a) << " vs. " << (b) << "] "
// For a Status that cannot fail at this point.
#define CHECK_OK(expr)                                           \
  do {                                                           \
    const ::absl::Status& kvorum_check_ok_ = (expr);             \
    CHECK(kvorum_check_ok_.ok()) << kvorum_check_ok_.ToString(); \
  } while (false)

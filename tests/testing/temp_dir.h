#pragma once
// A directory on the real file system that goes away with the object.

#include <cstdlib>
#include <string>
#include <string_view>

#include "base/check.h"
#include "base/env.h"

namespace kvorum {

class TempDir {
 public:
  // An empty directory under $TMPDIR, or /tmp.
  TempDir() {
    const char* const base = std::getenv("TMPDIR");
    path_ = JoinPath(base != nullptr && *base != '\0' ? base : "/tmp", "kvorum-test-XXXXXX");
    CHECK(mkdtemp(path_.data()) != nullptr) << path_;
  }
  ~TempDir() { (void)PosixEnv().RemoveAll(path_); }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;

  const std::string& path() const { return path_; }
  // The path of `name` in it.
  std::string operator/(std::string_view name) const { return JoinPath(path_, name); }

 private:
  std::string path_;
};

}  // namespace kvorum

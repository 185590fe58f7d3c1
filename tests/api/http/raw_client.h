#pragma once
// A client that speaks bytes, to see what a server makes of any of them.

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <string>
#include <utility>

namespace kvorum::api {

class RawClient {
 public:
  // Takes over a connected socket. Reading gives up after 20 s of silence.
  explicit RawClient(int fd) : fd_(fd) {
    const timeval patience = {.tv_sec = 20, .tv_usec = 0};
    setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  }
  // "127.0.0.1:1234"
  static RawClient Connect(const std::string& address) {
    const size_t colon = address.rfind(':');
    sockaddr_in to = {};
    to.sin_family = AF_INET;
    to.sin_port = htons(static_cast<uint16_t>(std::stoi(address.substr(colon + 1))));
    inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    EXPECT_EQ(connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof(to)), 0);
    return RawClient(fd);
  }
  RawClient(RawClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  ~RawClient() {
    if (fd_ >= 0) close(fd_);
  }
  void Send(const std::string& bytes) {
    size_t sent = 0;
    while (sent < bytes.size()) {
      const ssize_t n = send(fd_, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
      if (n <= 0) return;  // the server has had enough of it
      sent += static_cast<size_t>(n);
    }
  }
  void HalfClose() { shutdown(fd_, SHUT_WR); }
  // Up to and with `mark`, or what came until the end.
  std::string ReadUntil(const std::string& mark) {
    while (unread_.find(mark) == std::string::npos && ReadMore()) {
    }
    const size_t at = unread_.find(mark);
    const size_t end = at == std::string::npos ? unread_.size() : at + mark.size();
    std::string read = unread_.substr(0, end);
    unread_.erase(0, end);
    return read;
  }
  std::string ReadAll() {
    while (ReadMore()) {
    }
    return std::exchange(unread_, "");
  }

 private:
  bool ReadMore() {
    char bytes[65536];
    const ssize_t n = recv(fd_, bytes, sizeof(bytes), 0);
    if (n > 0) unread_.append(bytes, static_cast<size_t>(n));
    return n > 0;
  }

  int fd_;
  std::string unread_;
};

}  // namespace kvorum::api

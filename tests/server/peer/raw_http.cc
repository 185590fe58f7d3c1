#include "tests/server/peer/raw_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "base/check.h"

namespace kvorum::server::peer {

RawConnection::RawConnection(const std::string& address)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  const size_t colon = address.rfind(':');
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(static_cast<uint16_t>(std::atoi(address.c_str() + colon + 1)));
  inet_pton(AF_INET, address.substr(0, colon).c_str(), &to.sin_addr);
  CHECK(connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) == 0) << address;
}

RawConnection::~RawConnection() { close(fd_); }

bool RawConnection::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool RawConnection::Fill() {
  char piece[16384];
  const ssize_t n = recv(fd_, piece, sizeof(piece), 0);
  if (n <= 0) return false;
  buffer_.append(piece, static_cast<size_t>(n));
  return true;
}

std::string RawConnection::ReadUntil(std::string_view end) {
  size_t at = buffer_.find(end);
  while (at == std::string::npos && Fill()) at = buffer_.find(end);
  const size_t n = at == std::string::npos ? buffer_.size() : at + end.size();
  std::string read = buffer_.substr(0, n);
  buffer_.erase(0, n);
  return read;
}

std::string RawConnection::Read(size_t bytes) {
  while (buffer_.size() < bytes && Fill()) {
  }
  std::string read = buffer_.substr(0, bytes);
  buffer_.erase(0, read.size());
  return read;
}

void RawConnection::CloseSending() { shutdown(fd_, SHUT_WR); }

RawListener::RawListener() : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in at = {};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  CHECK(bind(fd_, reinterpret_cast<const sockaddr*>(&at), sizeof(at)) == 0);
  CHECK(listen(fd_, SOMAXCONN) == 0);
  socklen_t length = sizeof(at);
  getsockname(fd_, reinterpret_cast<sockaddr*>(&at), &length);
  address_ = "127.0.0.1:" + std::to_string(ntohs(at.sin_port));
}

RawListener::~RawListener() { close(fd_); }

std::unique_ptr<RawConnection> RawListener::Accept() {
  return std::make_unique<RawConnection>(accept4(fd_, nullptr, nullptr, SOCK_CLOEXEC));
}

bool RawReply::Has(std::string_view line) const {
  return head.find("\r\n" + std::string(line) + "\r\n") != std::string::npos;
}

RawReply Ask(const std::string& address, const std::string& head, const std::string& body) {
  RawConnection connection(address);
  std::string request = head + "Host: test\r\nConnection: close\r\n";
  if (!body.empty()) request += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  connection.Send(request + "\r\n" + body);
  RawReply reply;
  reply.head = connection.ReadUntil("\r\n\r\n");
  if (reply.head.size() > 12) reply.status = std::atoi(reply.head.c_str() + 9);
  reply.body = connection.ReadToEnd();
  return reply;
}

}  // namespace kvorum::server::peer

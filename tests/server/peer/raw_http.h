#pragma once
// A connection of bare bytes to the peer port, which sends whatever a test likes. Blocking.

#include <memory>
#include <string>
#include <string_view>

namespace kvorum::server::peer {

class RawConnection {
 public:
  // `address`: "127.0.0.1:1234".
  explicit RawConnection(const std::string& address);
  // Takes over a socket.
  explicit RawConnection(int fd) : fd_(fd) {}
  ~RawConnection();
  RawConnection(const RawConnection&) = delete;
  RawConnection& operator=(const RawConnection&) = delete;

  // False once the other side has closed.
  bool Send(std::string_view bytes);
  // What comes until `end` was seen (it is included), or the other side closes.
  std::string ReadUntil(std::string_view end);
  std::string ReadToEnd() { return ReadUntil(std::string_view("\0no end", 7)); }
  // Exactly so many bytes, or fewer if the other side closes.
  std::string Read(size_t bytes);
  void CloseSending();

 private:
  bool Fill();

  int fd_;
  std::string buffer_;
};

// The other side of a dial.
class RawListener {
 public:
  RawListener();
  ~RawListener();
  const std::string& address() const { return address_; }
  // Waits for the next one.
  std::unique_ptr<RawConnection> Accept();

 private:
  const int fd_;
  std::string address_;
};

struct RawReply {
  int status = 0;
  std::string head;  // with the status line
  std::string body;
  // "Name: value" is one of the head's lines.
  bool Has(std::string_view line) const;
};
// One request on a connection of its own; "Host" and "Connection: close" are added to `head`, which
// is the request line and any headers, lines ending in \r\n.
RawReply Ask(const std::string& address, const std::string& head, const std::string& body = "");

}  // namespace kvorum::server::peer

#pragma once
// Listening sockets from URLs, and accepted ones, by plain system calls: the same for TCP and Unix.

#include <string>

#include "base/status.h"

namespace kvorum::api {

struct ListeningSocket {
  int fd = -1;
  std::string address;  // "127.0.0.1:2379", "[::]:2379" or a path
  bool is_unix = false;
};

// From "http://host:port" or "unix://path" (a leftover socket file is removed). A name listens on
// its first IPv4 address, else its first; "0.0.0.0" and "[::]" on all of both families.
StatusOr<ListeningSocket> OpenListeningSocket(const std::string& url);

// The next connection, non-blocking and with the options of port_mux.h; or -1 with errno.
int AcceptConnection(const ListeningSocket& listener);

}  // namespace kvorum::api

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

// From "http://host:port", "unix://path" or "unix:/path" (a file of that name is removed). A name
// listens on its first IPv4 address, else its first; "0.0.0.0" and "[::]" on all of both families.
// `reuse_port`: other processes may listen on the same port if they say so, too.
StatusOr<ListeningSocket> OpenListeningSocket(const std::string& url, bool reuse_port = false);

// The next connection, non-blocking and with the options of port_mux.h; or -1 with errno.
int AcceptConnection(const ListeningSocket& listener);

}  // namespace kvorum::api

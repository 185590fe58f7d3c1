#pragma once
// Settings of every connection between members: no delay for small writes, and keepalive probes
// after 30 seconds, as in etcd (client/pkg/transport/keepalive_listener.go).

namespace kvorum::server::peer {

// Without effect on a unix socket.
void SetPeerSocketOptions(int fd);

}  // namespace kvorum::server::peer

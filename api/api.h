#pragma once
// api: the network front of one member. It turns bytes of clients into calls of server::Server and
// its answers into etcd's bytes; it keeps no state of the store.
//
// A connection meets the folder in this order: listener/port_mux accepts it and looks at its first
// bytes; the HTTP/2 preface goes to gRPC (grpc/), anything else to HTTP (http/). In grpc/,
// service.h surrounds every handler with interceptors.h; validate.h checks requests; errors.h is
// the one table of what clients are told; queue.h and task.h say how handlers wait.
//
// What main does, in this order:
//   1. FrontEnd::Listen binds every client URL: a port in use is known before data is opened. The
//      kernel completes connections from here on; nobody answers them.
//   2. ServeMetrics(server) once the server runs: the metrics port answers, ready or not.
//   3. Start(server) once server->WaitReady() has returned true. Calls are served.
//   4. Shutdown(grace): no new connections, GOAWAY to clients, open watch and keepalive streams end
//      with "etcdserver: server stopped", running calls may finish for `grace`, then are cancelled.
//   5. server->Stop(): what calls still wait for completes with kStopped.
//   6. Join() (or the destructor) waits for the last call, which now cannot wait for anything, and
//      stops the threads. The server object must live until here.
//
// Invariants:
//   1. Every accepted call is answered exactly once or its client is gone; no operation is started
//      on a completion queue after its shutdown (gRPC aborts then): queues count their users.
//   2. Nothing here blocks a polling thread: waiting is a suspended coroutine, disk reads happen on
//      the server's read pool.
//   3. What a client can make this folder hold is bounded: a message by max_request_bytes (checked)
//      and by gRPC's memory quota (while it arrives), a watch stream by watch_queue.h, lists by
//      response_budget.h, snapshots by snapshot_sender.h and kMaxSnapshots, a connection that says
//      nothing by kSniffTimeout and gRPC's handshake timeout.
//
// Threads: one polls unary calls, one polls streams, one runs listener and HTTP, one the calls of
// the JSON gateway; a call's coroutine may also run where the server finished what it waited for
// (grpc/queue.h).
//
// Left out for now: TLS, authentication, locks and elections. RPCs without a handler are answered
// Unimplemented (grpc/catch_all.h).
//
// Follows etcd server/embed/serve.go, server/etcdserver/api/v3rpc.

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "server/server.h"

namespace kvorum::api {

struct FrontEndOptions {
  // "http://host:port" (port 0: any) or "unix://path". At least one.
  std::vector<std::string> client_urls;
  // Where only /metrics and the health checks are served; may be empty.
  std::vector<std::string> metrics_urls;
  // Of HTTP on the client port; empty: all (access_policy.h).
  std::vector<std::string> cors_origins;
  std::vector<std::string> host_whitelist;
  // Where HTTP is served instead, if not empty: client_urls then take gRPC alone.
  std::vector<std::string> client_http_urls;
  bool reuse_port = false;  // other processes may listen there, too
  // Clients may ping this often (etcd --grpc-keepalive-min-time), and are pinged after this idle
  // time.
  Duration keepalive_min_time = std::chrono::seconds(5);
  Duration keepalive_interval = std::chrono::hours(2);
  Duration keepalive_timeout = std::chrono::seconds(20);
  // Streams one connection may have open; 0: no limit.
  uint32_t max_concurrent_streams = 0;
  // Serve the JSON gateway (etcd --enable-grpc-gateway).
  bool json_gateway = true;
  // What its callers' bodies together may hold while they arrive.
  size_t gateway_memory_bytes = 256 << 20;
  // What all connections together may hold in gRPC's buffers.
  size_t grpc_memory_bytes = 512 << 20;
};

class FrontEnd {
 public:
  // Binds and listens. Errors name the URL.
  static StatusOr<std::unique_ptr<FrontEnd>> Listen(const FrontEndOptions& options);
  virtual ~FrontEnd() = default;

  // Where it listens, "127.0.0.1:2379" or a socket's path, in the order of the URLs.
  virtual std::vector<std::string> addresses() const = 0;
  virtual std::vector<std::string> metrics_addresses() const = 0;
  // At most once, before Start or instead of it. `server` must outlive Join.
  virtual void ServeMetrics(server::Server* server) = 0;
  // `server` must outlive Join.
  virtual Status Start(server::Server* server) = 0;
  // Blocks for at most about `grace`. Idempotent.
  virtual void Shutdown(Duration grace) = 0;
  virtual void Join() = 0;
};

}  // namespace kvorum::api

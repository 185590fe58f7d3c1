#pragma once
// Transport: everything one member of a cluster says to another, in etcd's peer protocol over
// HTTP/1.1, so that members may be kvorum's and etcd's in any mix.
//
// To every peer this member dials two streams, long answers to a GET on which the peer writes
// messages: "msgapp" for appends, in a short form, and "message" for the rest. So the one who dials
// reads; what this member writes travels on the streams that the peer dialed. A message for which
// no stream is there goes by "pipeline", a POST each. Databases go by a POST of their own. The same
// port answers the questions of Handler to other members.
//
// Life: Listen binds the port, so that a start fails early; Start begins to serve and returns; then
// peers are added, as the membership says, before and after raft runs; Stop cuts everything. Not
// restartable.
//
// What callers may rely on:
//   1. Send, SendSnapshot and ActiveSince never block. Listen resolves names; what changes the set
//      of peers, and Stop, wait for the IO threads: not to be called from Handler's methods.
//   2. Messages to one peer leave in the order of Send as long as they take the same channel; any
//      of them may be lost. Loss of what was queued is reported by OnUnreachable, of a kSnap also
//      by OnSnapshotSent(false).
//   3. Every queue has a bound in messages and in bytes (the constants below). At the bound the new
//      message is dropped and reported: a slow peer costs only itself.
//   4. After RemovePeer returned, no message of that peer reaches the handler any more; after Stop,
//      nothing does.
//   5. Bytes from the network never end the process: malformed input gets an error answer or ends
//      its connection.
//
// Threads: all methods on any thread. Two IO threads: "peer-accept" serves the port and writes
// streams, "peer-dial" reads streams, posts and probes; a snapshot has one more each way.
// TLS is not there yet: an https URL is refused. Follows etcd
// server/etcdserver/api/rafthttp, etcdhttp/peer.go, lease/leasehttp.

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "base/types.h"
#include "raft/types.h"
#include "server/peer/handler.h"

namespace kvorum::server::peer {

// Of a stream to one peer: messages waiting to be written, and their bytes on the wire. An append
// carries at most 1 MiB, and 512 of them may be in flight; but whoever is 64 MiB behind is better
// served by asking again.
inline constexpr size_t kStreamQueueMessages = 4096;
inline constexpr size_t kStreamQueueBytes = 64 << 20;
// Of the POSTs to one peer.
inline constexpr size_t kPipelineQueueMessages = 64;
inline constexpr size_t kPipelineQueueBytes = 64 << 20;
inline constexpr int kPipelineWorkers = 4;  // requests to one peer at a time
// Databases that are sent or wait for that, of all peers; as many in etcd.
inline constexpr size_t kMaxOutgoingSnapshots = 16;
// Databases that arrive at the same time. One leader at a time sends one each.
inline constexpr size_t kMaxIncomingSnapshots = 4;
// A message larger than this is refused by who reads it.
inline constexpr size_t kMaxMessageBytes = size_t{512} << 20;

// How long things take; etcd's. Tests shorten them.
struct Timing {
  // Reads and writes that make no progress for so long end their connection. Writers of streams
  // send a heartbeat three times as often.
  Duration io_timeout = std::chrono::seconds(5);
  // Resolving and connecting; etcd: 1 s plus the election timeout.
  Duration dial_timeout = std::chrono::seconds(2);
  // Between two dials of one stream, at least.
  Duration redial_interval = std::chrono::milliseconds(100);
  Duration probe_interval = std::chrono::seconds(4);
};

class Transport {
 public:
  struct Options {
    MemberId self;
    ClusterId cluster;
    // "http://host:port" or "unix://path"; a port 0 is replaced by a free one.
    std::vector<std::string> listen_urls;
    // The URLs others reach this member at, told to those who do not know it yet.
    std::vector<std::string> advertise_urls;
    // Address that outgoing connections are bound to; empty: the system's choice.
    std::string local_address;
    bool reuse_port = false;
    Timing timing;
  };

  // The port alone, bound before the data directory is opened and before the ids are known. Holds
  // the sockets; nothing is accepted yet, the kernel queues.
  class Port {
   public:
    virtual ~Port() = default;
    // "127.0.0.1:2380" or a socket's path, in the order of the URLs.
    virtual const std::vector<std::string>& addresses() const = 0;
  };
  // InvalidArgument for a URL that is neither http nor unix (https names TLS as the reason),
  // Unavailable if the address is taken.
  static StatusOr<std::unique_ptr<Port>> Bind(const std::vector<std::string>& listen_urls,
                                              bool reuse_port = false);

  // Bind and New in one.
  static StatusOr<std::unique_ptr<Transport>> Listen(const Options& options);
  // With a port bound before; options.listen_urls and reuse_port are then not looked at.
  static std::unique_ptr<Transport> New(const Options& options, std::unique_ptr<Port> port);
  virtual ~Transport() = default;  // Stop()

  virtual const std::vector<std::string>& addresses() const = 0;

  // Serves and dials from here on. `handler` outlives Stop(). Once.
  virtual void Start(Handler* handler) = 0;
  // Ends connections and joins the threads. Idempotent; the methods below do nothing after it.
  virtual void Stop() = 0;

  // Peers are the other members: both streams, the pipeline and probes. URLs that cannot be dialed
  // are an InvalidArgument and change nothing; so is an empty list. An id that is a peer already
  // stays as it is. FailedPrecondition before Start and after Stop.
  virtual Status AddPeer(MemberId id, const std::vector<std::string>& urls) = 0;
  // Takes effect with the next dial. An id that is no peer is ignored.
  virtual Status UpdatePeer(MemberId id, const std::vector<std::string>& urls) = 0;
  virtual void RemovePeer(MemberId id) = 0;
  virtual void RemoveAllPeers() = 0;
  // A remote can only be posted to: members that a joining one must answer before it knows them.
  // Ignored if the id is a peer or a remote already. At most kMaxRemotes.
  virtual Status AddRemote(MemberId id, const std::vector<std::string>& urls) = 0;

  // Each message to the peer or remote it names; `to` none or unknown: dropped without a word. A
  // kSnap in here takes the pipeline, without a database: see SendSnapshot.
  virtual void Send(std::vector<raft::Message> messages) = 0;
  // `message` is a kSnap whose snapshot is the database's: index, term and configuration as of its
  // bytes. The outcome comes by OnSnapshotSent, at once and false if the receiver is no peer or
  // kMaxOutgoingSnapshots are under way.
  virtual void SendSnapshot(raft::Message message, std::unique_ptr<SnapshotSource> source) = 0;

  // Since when messages go through to this peer; nothing while they do not.
  virtual std::optional<TimePoint> ActiveSince(MemberId id) const = 0;

  // For tests: drop what comes from and goes to a peer, without closing anything; and stop that.
  virtual void CutPeer(MemberId id) = 0;
  virtual void MendPeer(MemberId id) = 0;
};

// Remotes that strangers may register.
inline constexpr size_t kMaxRemotes = 64;

}  // namespace kvorum::server::peer

#pragma once
// The two formats in which messages travel on a stream.
//
//   message stream: length (8 bytes, big-endian), raftpb.Message; repeated
//   msgapp stream:  00                                              link heartbeat
//                   01 count (length Entry)* commit                 entries that follow the last
//                   02 length Message                               any other append
//
// where count, length and commit are 8 bytes, big-endian. In the msgapp format both ends remember
// the term and index the last append ended with; 01 leaves out what follows from them. So encoder
// and decoder are of one connection, and its failure ends both.
//
//   02 {MsgApp term 3 logTerm 2 index 9, entries 10..11}  both ends now at term 3, index 11
//   02 {MsgApp term 3 logTerm 3 index 11, entry 12}       in full: 11 was of term 3, as logTerm
//                                                         says, so this could have been 01
//   01 0 commit=12                                        MsgApp term 3 logTerm 3 index 12
//
// Threads: one at a time. Follows etcd rafthttp/msgappv2_codec.go, msg_codec.go.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "base/types.h"
#include "raft/types.h"

namespace kvorum::server::peer {

enum class StreamKind { kMessage, kMsgApp };

class StreamEncoder {
 public:
  virtual ~StreamEncoder() = default;
  virtual void Append(std::string* out, const raft::Message& message) = 0;
  virtual void AppendHeartbeat(std::string* out) = 0;
};
std::unique_ptr<StreamEncoder> NewStreamEncoder(StreamKind kind);

class StreamDecoder {
 public:
  virtual ~StreamDecoder() = default;

  // Takes the next bytes of the connection, cut anywhere, and appends the messages they complete,
  // link heartbeats left out. InvalidArgument: the connection is of no more use. Holds at most one
  // frame, of kMaxMessageBytes; memory grows with the bytes that came, not with lengths announced.
  Status Feed(std::string_view bytes, std::vector<raft::Message>* out);

 protected:
  // The first piece has `first_bytes`.
  explicit StreamDecoder(size_t first_bytes) : need_bytes_(first_bytes) {}
  // Takes one piece of exactly the size asked for, and returns the size of the next.
  virtual StatusOr<size_t> Take(std::string_view piece, std::vector<raft::Message>* out) = 0;

 private:
  size_t need_bytes_;
  std::string buffer_;  // the beginning of a piece
};
// `remote` writes, `local` reads: who the appends of the short form are from and to.
std::unique_ptr<StreamDecoder> NewStreamDecoder(StreamKind kind, MemberId remote, MemberId local);

}  // namespace kvorum::server::peer

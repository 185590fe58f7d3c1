// Messages written by hand. Keys: term, index, log-term, commit, hint, context, each with a value;
// read N (a heartbeat's context); reject; entries INDEX@TERM:DATA,...; data DATA (an entry without
// a place); snapshot INDEX@TERM and, comma-separated, voters, learners and outgoing of its
// configuration.

#include <absl/strings/numbers.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_split.h>

#include "base/bytes.h"
#include "tests/raft/story.h"

namespace kvorum::raft::testing {
namespace {

Status Wrong(const std::string& what, const std::string& word) {
  return absl::InvalidArgumentError(absl::StrCat(what, ": ", word));
}

std::vector<std::string> SplitAtCommas(const std::string& word) {
  return absl::StrSplit(word, ',');
}

StatusOr<uint64_t> Number(const std::string& word) {
  uint64_t n = 0;
  if (!absl::SimpleAtoi(word, &n)) return Wrong("not a number", word);
  return n;
}

StatusOr<EntryId> Point(const std::string& word) {
  const std::pair<std::string, std::string> parts = absl::StrSplit(word, '@');
  ASSIGN_OR_RETURN(const uint64_t index, Number(parts.first));
  ASSIGN_OR_RETURN(const uint64_t term, Number(parts.second));
  return EntryId{.term = Term(term), .index = Index(index)};
}

StatusOr<std::vector<Entry>> Entries(const std::string& word) {
  std::vector<Entry> out;
  for (const std::string& one : SplitAtCommas(word)) {
    const std::pair<std::string, std::string> parts = absl::StrSplit(one, absl::MaxSplits(':', 1));
    ASSIGN_OR_RETURN(const EntryId at, Point(parts.first));
    out.push_back({.term = at.term, .index = at.index, .data = SharedBytes(parts.second)});
  }
  return out;
}

StatusOr<MessageType> Type(const std::string& word) {
  for (int i = 0; i < kMessageTypeCount; ++i) {
    const auto type = static_cast<MessageType>(i);
    if (std::string(Name(type).substr(3)) == word) return type;
  }
  return Wrong("no message type", word);
}

template <typename Add>
Status ForEachId(const std::string& word, Add add) {
  for (const std::string& one : SplitAtCommas(word)) {
    ASSIGN_OR_RETURN(const uint64_t id, Number(one));
    add(id);
  }
  return absl::OkStatus();
}

class Builder {
 public:
  Status Set(const std::string& key, const std::string& value) {
    if (key == "context") return Put(&m_.context, value);
    if (key == "read") return SetReadNumber(value);
    if (key == "data") {
      m_.entries.push_back({.data = SharedBytes(value)});
      return absl::OkStatus();
    }
    if (key == "entries") {
      ASSIGN_OR_RETURN(m_.entries, Entries(value));
      return absl::OkStatus();
    }
    if (key == "snapshot") {
      ASSIGN_OR_RETURN(const EntryId at, Point(value));
      snapshot_ = std::make_shared<Snapshot>();
      snapshot_->metadata.index = at.index;
      snapshot_->metadata.term = at.term;
      return absl::OkStatus();
    }
    if (snapshot_ != nullptr) return SetMembers(key, value);
    return SetNumber(key, value);
  }
  Message Take() {
    m_.snapshot = std::move(snapshot_);
    return std::move(m_);
  }
  Message m_;

 private:
  static Status Put(SharedBytes* to, const std::string& value) {
    *to = SharedBytes(value);
    return absl::OkStatus();
  }

  // The context of a heartbeat.
  Status SetReadNumber(const std::string& value) {
    ASSIGN_OR_RETURN(const uint64_t n, Number(value));
    std::string bytes;
    AppendLittleEndian64(&bytes, n);
    return Put(&m_.context, bytes);
  }

  Status SetMembers(const std::string& key, const std::string& value) {
    ConfState& members = snapshot_->metadata.conf_state;
    if (key == "voters") return ForEachId(value, [&](uint64_t id) { members.add_voters(id); });
    if (key == "learners") return ForEachId(value, [&](uint64_t id) { members.add_learners(id); });
    if (key == "outgoing") {
      return ForEachId(value, [&](uint64_t id) { members.add_voters_outgoing(id); });
    }
    return Wrong("no key", key);
  }

  Status SetNumber(const std::string& key, const std::string& value) {
    ASSIGN_OR_RETURN(const uint64_t n, Number(value));
    if (key == "term") {
      m_.term = Term(n);
    } else if (key == "log-term") {
      m_.log_term = Term(n);
    } else if (key == "index") {
      m_.index = Index(n);
    } else if (key == "commit") {
      m_.commit = Index(n);
    } else if (key == "hint") {
      m_.reject_hint = Index(n);
    } else {
      return Wrong("no key", key);
    }
    return absl::OkStatus();
  }

  std::shared_ptr<Snapshot> snapshot_;
};

}  // namespace

StatusOr<Message> ParseMessage(const std::vector<std::string>& words) {
  if (words.size() < 2) return Wrong("a message needs ends and a type", "");
  const std::pair<std::string, std::string> ends = absl::StrSplit(words[0], "->");
  ASSIGN_OR_RETURN(const uint64_t from, Number(ends.first));
  ASSIGN_OR_RETURN(const uint64_t to, Number(ends.second));
  Builder builder;
  ASSIGN_OR_RETURN(builder.m_.type, Type(words[1]));
  builder.m_.from = MemberId(from);
  builder.m_.to = MemberId(to);
  for (size_t i = 2; i < words.size(); ++i) {
    if (words[i] == "reject") {
      builder.m_.reject = true;
    } else if (i + 1 == words.size()) {
      return Wrong("no value for", words[i]);
    } else {
      RETURN_IF_ERROR(builder.Set(words[i], words[i + 1]));
      ++i;
    }
  }
  return builder.Take();
}

}  // namespace kvorum::raft::testing

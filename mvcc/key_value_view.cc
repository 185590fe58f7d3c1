#include "mvcc/key_value_view.h"

#include "mvcc/varint.h"

namespace kvorum::mvcc {

namespace {

// Field numbers of mvccpb.KeyValue.
enum Field : uint32_t { kKey = 1, kCreate = 2, kMod = 3, kVersion = 4, kValue = 5, kLease = 6 };
enum WireType : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

bool ReadBytes(std::string_view* in, std::string_view* out) {
  uint64_t size;
  if (!ReadVarint(in, &size) || size > in->size()) return false;
  *out = in->substr(0, size);
  in->remove_prefix(size);
  return true;
}

void AppendNumber(std::string* out, Field field, int64_t value) {
  if (value == 0) return;
  out->push_back(static_cast<char>(field << 3 | kVarint));
  AppendVarint(out, static_cast<uint64_t>(value));
}

void AppendBytes(std::string* out, Field field, std::string_view value) {
  if (value.empty()) return;
  out->push_back(static_cast<char>(field << 3 | kBytes));
  AppendVarint(out, value.size());
  out->append(value);
}

bool SkipUnknown(std::string_view* in, uint32_t wire_type) {
  uint64_t number;
  std::string_view bytes;
  size_t fixed = 0;
  switch (wire_type) {
    case kVarint:
      return ReadVarint(in, &number);
    case kBytes:
      return ReadBytes(in, &bytes);
    case kFixed64:
      fixed = 8;
      break;
    case kFixed32:
      fixed = 4;
      break;
    default:
      return false;
  }
  if (in->size() < fixed) return false;
  in->remove_prefix(fixed);
  return true;
}

void SetNumber(KeyValueView* kv, uint64_t field, int64_t value) {
  switch (field) {
    case kCreate:
      kv->create_revision = Revision(value);
      break;
    case kMod:
      kv->mod_revision = Revision(value);
      break;
    case kVersion:
      kv->version = value;
      break;
    case kLease:
      kv->lease = LeaseId(value);
      break;
    default:
      break;
  }
}

}  // namespace

std::optional<KeyValueView> KeyValueView::Parse(std::string_view in) {
  KeyValueView kv;
  while (!in.empty()) {
    uint64_t tag;
    if (!ReadVarint(&in, &tag)) return std::nullopt;
    const uint64_t field = tag >> 3;
    const uint32_t wire_type = tag & 7;
    if (wire_type == kBytes && (field == kKey || field == kValue)) {
      if (!ReadBytes(&in, field == kKey ? &kv.key : &kv.value)) return std::nullopt;
    } else if (wire_type == kVarint) {
      uint64_t value;
      if (!ReadVarint(&in, &value)) return std::nullopt;
      SetNumber(&kv, field, static_cast<int64_t>(value));
    } else if (!SkipUnknown(&in, wire_type)) {
      return std::nullopt;
    }
  }
  return kv;
}

std::string KeyValueView::Encode() const {
  // Four numbers of at most 11 bytes, two lengths of at most 6 with their tags.
  std::string out;
  out.reserve(key.size() + value.size() + 40);
  AppendBytes(&out, kKey, key);
  AppendNumber(&out, kCreate, create_revision.value());
  AppendNumber(&out, kMod, mod_revision.value());
  AppendNumber(&out, kVersion, version);
  AppendBytes(&out, kValue, value);
  AppendNumber(&out, kLease, lease.value());
  return out;
}

}  // namespace kvorum::mvcc

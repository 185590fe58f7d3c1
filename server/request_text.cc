#include "server/request_text.h"

#include <absl/strings/escaping.h>
#include <absl/strings/str_cat.h>
#include <absl/strings/str_format.h>
#include <absl/strings/str_join.h>

#include <algorithm>
#include <vector>

namespace kvorum::server {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;

std::string MessageText(const Message& message);

std::string Quoted(const std::string& text) {
  return absl::StrCat("\"", absl::Utf8SafeCHexEscape(text), "\"");
}

// A field that is set, of any type; `index` is -1 unless it is repeated.
std::string ScalarText(const Message& message, const FieldDescriptor* field, int index) {
  const Reflection* const r = message.GetReflection();
  const bool one = index < 0;
  switch (field->cpp_type()) {
    case FieldDescriptor::CPPTYPE_INT32:
      return absl::StrCat(one ? r->GetInt32(message, field)
                              : r->GetRepeatedInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_INT64:
      return absl::StrCat(one ? r->GetInt64(message, field)
                              : r->GetRepeatedInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT32:
      return absl::StrCat(one ? r->GetUInt32(message, field)
                              : r->GetRepeatedUInt32(message, field, index));
    case FieldDescriptor::CPPTYPE_UINT64:
      return absl::StrCat(one ? r->GetUInt64(message, field)
                              : r->GetRepeatedUInt64(message, field, index));
    case FieldDescriptor::CPPTYPE_BOOL:
      return (one ? r->GetBool(message, field) : r->GetRepeatedBool(message, field, index))
                 ? "true"
                 : "false";
    case FieldDescriptor::CPPTYPE_ENUM: {
      const int number =
          one ? r->GetEnumValue(message, field) : r->GetRepeatedEnumValue(message, field, index);
      const auto* const value = field->enum_type()->FindValueByNumber(number);
      return value != nullptr ? value->name() : absl::StrCat(number);
    }
    default:  // of strings and bytes; etcd's requests have no floating point numbers
      return Quoted(one ? r->GetString(message, field)
                        : r->GetRepeatedString(message, field, index));
  }
}

std::string FieldText(const Message& message, const FieldDescriptor* field, int index) {
  if (field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return absl::StrCat(field->name(), ":", ScalarText(message, field, index));
  }
  const Reflection* const r = message.GetReflection();
  const Message& inner =
      index < 0 ? r->GetMessage(message, field) : r->GetRepeatedMessage(message, field, index);
  return absl::StrCat(field->name(), ":{", MessageText(inner), "}");
}

bool IsSecret(const FieldDescriptor* field) {
  return field->name() == "password" || field->name() == "hashedPassword";
}

// What clients store, or compare with what is stored.
bool IsValue(const FieldDescriptor* field) {
  return field->name() == "value" && field->type() == FieldDescriptor::TYPE_BYTES;
}

std::string FieldsText(const Message& message) {
  const Reflection* const r = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  r->ListFields(message, &fields);
  // Go prints them as they are declared, not by their numbers: the header of an entry comes first.
  std::sort(fields.begin(), fields.end(),
            [](const auto* a, const auto* b) { return a->index() < b->index(); });
  std::vector<std::string> texts;
  for (const FieldDescriptor* field : fields) {
    if (IsSecret(field)) continue;
    if (IsValue(field)) {
      texts.push_back(absl::StrCat("value_size:", r->GetString(message, field).size()));
    } else if (!field->is_repeated()) {
      texts.push_back(FieldText(message, field, -1));
    } else {
      for (int i = 0; i < r->FieldSize(message, field); ++i) {
        texts.push_back(FieldText(message, field, i));
      }
    }
  }
  return absl::StrJoin(texts, " ");
}

template <typename Messages>
std::string ListText(const Messages& messages) {
  return absl::StrJoin(messages, " ", [](std::string* out, const Message& message) {
    absl::StrAppend(out, MessageText(message));
  });
}

std::string OpText(const etcdserverpb::RequestOp& op) {
  if (op.has_request_put()) {
    return absl::StrCat("request_put:<", MessageText(op.request_put()), ">");
  }
  if (op.has_request_txn()) {
    return absl::StrCat("request_txn:<", MessageText(op.request_txn()), ">");
  }
  return FieldsText(op);
}

// A txn and its operations have a form of their own.
std::string MessageText(const Message& message) {
  if (const auto* op = dynamic_cast<const etcdserverpb::RequestOp*>(&message)) return OpText(*op);
  const auto* const txn = dynamic_cast<const etcdserverpb::TxnRequest*>(&message);
  if (txn == nullptr) return FieldsText(message);
  return absl::StrCat("compare:<", ListText(txn->compare()), "> success:<",
                      ListText(txn->success()), "> failure:<", ListText(txn->failure()), ">");
}

std::string Bounded(std::string text) {
  if (text.size() <= kMaxRequestTextBytes) return text;
  text.resize(kMaxRequestTextBytes);
  return text + "...";
}

}  // namespace

std::string RequestText(const Message& request) { return Bounded(MessageText(request)); }

std::string EntryText(const etcdserverpb::InternalRaftRequest& entry) {
  std::string body;
  if (entry.has_put()) {
    body = absl::StrCat("put:<", MessageText(entry.put()), ">");
  } else if (entry.has_txn()) {
    body = absl::StrCat("txn:<", MessageText(entry.txn()), ">");
  } else if (entry.has_lease_grant()) {
    body = absl::StrFormat("lease_grant:<ttl:%d-second id:%016x>", entry.lease_grant().ttl(),
                           entry.lease_grant().id());
  } else if (entry.has_lease_revoke()) {
    body = absl::StrFormat("lease_revoke:<id:%016x>", entry.lease_revoke().id());
  } else {
    return Bounded(FieldsText(entry));
  }
  return Bounded(absl::StrCat("header:<", MessageText(entry.header()), "> ", body));
}

}  // namespace kvorum::server

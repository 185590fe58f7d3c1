#include "api/http/gateway/json_parser.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "api/http/gateway/json_reader.h"
#include "api/http/gateway/json_values.h"
#include "base/check.h"

namespace kvorum::api {
namespace {

using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;
using google::protobuf::Reflection;
using Kind = JsonToken::Kind;

Status Fail(const std::string& what) { return absl::InvalidArgumentError("proto: " + what); }

const FieldDescriptor* FindField(const Message& message, const std::string& name) {
  const auto* descriptor = message.GetDescriptor();
  for (int i = 0; i < descriptor->field_count(); ++i) {
    if (descriptor->field(i)->json_name() == name) return descriptor->field(i);
  }
  return descriptor->FindFieldByName(name);
}

// Sets a singular field, or adds to a repeated one.
class FieldWriter {
 public:
  FieldWriter(Message* message, const FieldDescriptor* field)
      : message_(message), field_(field), reflection_(*message->GetReflection()) {}

  // False: the token is no value of this field's type.
  bool Write(const JsonToken& token) const {
    switch (field_->cpp_type()) {
      case FieldDescriptor::CPPTYPE_BOOL:
        if (token.kind != Kind::kBool) return false;
        Put(&Reflection::SetBool, &Reflection::AddBool, token.raw == "true");
        return true;
      case FieldDescriptor::CPPTYPE_INT32:
        return WriteInteger(&Reflection::SetInt32, &Reflection::AddInt32, IntegerOf(Number(token)));
      case FieldDescriptor::CPPTYPE_INT64:
        return WriteInteger(&Reflection::SetInt64, &Reflection::AddInt64, IntegerOf(Number(token)));
      case FieldDescriptor::CPPTYPE_UINT32:
        return WriteInteger(&Reflection::SetUInt32, &Reflection::AddUInt32,
                            UnsignedOf(Number(token)));
      case FieldDescriptor::CPPTYPE_UINT64:
        return WriteInteger(&Reflection::SetUInt64, &Reflection::AddUInt64,
                            UnsignedOf(Number(token)));
      case FieldDescriptor::CPPTYPE_ENUM:
        return WriteEnum(token);
      case FieldDescriptor::CPPTYPE_STRING:
        return WriteString(token);
      default:
        CHECK(false) << field_->full_name() << " is of a type etcd's API does not have";
        return false;
    }
  }

 private:
  // The number in a number or a string; "x" for anything else.
  static std::string_view Number(const JsonToken& token) {
    if (token.kind == Kind::kNumber) return token.raw;
    return token.kind == Kind::kString ? NumberIn(token.text) : std::string_view();
  }

  template <typename Set, typename Add, typename T>
  void Put(Set set, Add add, T value) const {
    if (field_->is_repeated()) {
      (reflection_.*add)(message_, field_, std::move(value));
    } else {
      (reflection_.*set)(message_, field_, std::move(value));
    }
  }
  template <typename T, typename Wide>
  bool WriteInteger(void (Reflection::*set)(Message*, const FieldDescriptor*, T) const,
                    void (Reflection::*add)(Message*, const FieldDescriptor*, T) const,
                    std::optional<Wide> value) const {
    if (!value || *value < std::numeric_limits<T>::min() ||
        *value > std::numeric_limits<T>::max()) {
      return false;
    }
    Put(set, add, static_cast<T>(*value));
    return true;
  }
  bool WriteEnum(const JsonToken& token) const {
    if (token.kind == Kind::kString) {
      const EnumValueDescriptor* value = field_->enum_type()->FindValueByName(token.text);
      if (value != nullptr) Put(&Reflection::SetEnum, &Reflection::AddEnum, value);
      return true;
    }
    if (token.kind != Kind::kNumber) return false;
    return WriteInteger(&Reflection::SetEnumValue, &Reflection::AddEnumValue, IntegerOf(token.raw));
  }
  bool WriteString(const JsonToken& token) const {
    if (token.kind != Kind::kString) return false;
    std::optional<std::string> value = token.text;
    if (field_->type() == FieldDescriptor::TYPE_BYTES) value = BytesOf(token.text);
    if (!value) return false;
    Put(&Reflection::SetString, &Reflection::AddString, *std::move(value));
    return true;
  }

  Message* const message_;
  const FieldDescriptor* const field_;
  const Reflection& reflection_;
};

class Parser {
 public:
  explicit Parser(std::string_view value) : reader_(value) {}

  Status ParseMessage(Message* message, int depth) {
    if (depth > kMaxMessageDepth) return Fail("exceeded max recursion depth");
    JsonToken token;
    RETURN_IF_ERROR(Read(&token));
    if (token.kind != Kind::kOpen) return Unexpected(token);
    std::vector<const void*> seen;  // fields and oneofs
    for (;;) {
      RETURN_IF_ERROR(Read(&token));
      if (token.kind == Kind::kClose) return absl::OkStatus();
      RETURN_IF_ERROR(ParseField(message, token, &seen, depth));
    }
  }

 private:
  Status Read(JsonToken* token) {
    return reader_.Read(token) ? absl::OkStatus() : Fail(reader_.error());
  }
  Status Unexpected(const JsonToken& token) const {
    return Fail("syntax error " + reader_.Position(token.at) + ": unexpected token " +
                std::string(token.raw));
  }
  Status FailAt(const JsonToken& token, const std::string& what) const {
    return Fail(reader_.Position(token.at) + ": " + what);
  }
  // False if it was there already.
  static bool Mark(const void* what, std::vector<const void*>* seen) {
    if (std::find(seen->begin(), seen->end(), what) != seen->end()) return false;
    seen->push_back(what);
    return true;
  }

  Status ParseField(Message* message, const JsonToken& name, std::vector<const void*>* seen,
                    int depth) {
    const FieldDescriptor* field = FindField(*message, name.text);
    if (field == nullptr) return Skip();
    const std::string raw(name.raw);
    if (!Mark(field, seen)) return FailAt(name, "duplicate field " + raw);
    if (reader_.Peek() == Kind::kNull) return Skip();
    if (field->is_repeated()) return ParseList(message, field, depth);
    const auto* oneof = field->containing_oneof();
    if (oneof != nullptr && !Mark(oneof, seen)) {
      return FailAt(name,
                    "error parsing " + raw + ", oneof " + oneof->full_name() + " is already set");
    }
    return ParseValue(message, field, depth);
  }

  Status ParseList(Message* message, const FieldDescriptor* field, int depth) {
    JsonToken token;
    RETURN_IF_ERROR(Read(&token));
    if (token.kind != Kind::kList) return Unexpected(token);
    while (reader_.Peek() != Kind::kListEnd) {
      RETURN_IF_ERROR(ParseValue(message, field, depth));
    }
    return Read(&token);
  }

  // A field's value, or one element of it.
  Status ParseValue(Message* message, const FieldDescriptor* field, int depth) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) {
      const Reflection& reflection = *message->GetReflection();
      return ParseMessage(field->is_repeated() ? reflection.AddMessage(message, field)
                                               : reflection.MutableMessage(message, field),
                          depth + 1);
    }
    JsonToken token;
    RETURN_IF_ERROR(Read(&token));
    if (FieldWriter(message, field).Write(token)) return absl::OkStatus();
    return FailAt(token, std::string("invalid value for ") + field->type_name() + " field " +
                             field->json_name() + ": " + std::string(token.raw));
  }

  // A whole value, of which only the strings are looked at.
  Status Skip() {
    JsonToken token;
    int open = 0;
    do {
      RETURN_IF_ERROR(Read(&token));
      open += token.kind == Kind::kOpen || token.kind == Kind::kList;
      open -= token.kind == Kind::kClose || token.kind == Kind::kListEnd;
    } while (open > 0);
    return absl::OkStatus();
  }

  JsonReader reader_;
};

}  // namespace

Status ParseJson(std::string_view value, Message* message) {
  return Parser(value).ParseMessage(message, 1);
}

}  // namespace kvorum::api

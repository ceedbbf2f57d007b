// SPDX-License-Identifier: GPL-2.0
// Reading netlink attributes that nobody has checked. What is cut short or has the wrong size
// throws SystemError(EBADMSG), with @what in its text; types that are not known are newer.
#pragma once

#include <netlink/attr.h>
#include <netlink/msg.h>

#include <cstddef>
#include <cstring>
#include <functional>
#include <optional>
#include <string>

#include "endpoint.hh"

namespace wg::tool {

[[noreturn]] void fail_malformed(const char *what);

/** exact() - @attribute, which is nullptr or has @len bytes */
const nlattr *exact(const nlattr *attribute, size_t len, const char *what);

/** load() - the value of an attribute whose length has been checked */
template <typename T>
T load(const nlattr *attribute) {
  T value;
  std::memcpy(&value, nla_data(attribute), sizeof(value));
  return value;
}

/** load_if_there() - into @value, if @attribute is not nullptr */
template <typename T>
void load_if_there(T &value, const nlattr *attribute, const char *what) {
  if (exact(attribute, sizeof(T), what) != nullptr) value = load<T>(attribute);
}

/** load_string() - up to its NUL, at most @max_len bytes */
std::string load_string(const nlattr *attribute, size_t max_len);

/** load_endpoint() - nothing for an address of a family that is not IP */
std::optional<Endpoint> load_endpoint(const nlattr *attribute, const char *what);

/** split_nest() - put what is in @nest into @table, of @max_type plus one, by type */
void split_nest(nlattr **table, int max_type, const nlattr *nest, const char *what);

/** split_message() - the same with what follows a header of @header_len in a message */
void split_message(nlattr **table, int max_type, const nlmsghdr *message, size_t header_len,
                   const char *what);

/** for_each() - call @each for every member of a nest that is an array */
void for_each(const nlattr *nest, const char *what,
              const std::function<void(const nlattr *)> &each);

}  // namespace wg::tool

// SPDX-License-Identifier: GPL-2.0
#include "attributes.hh"

#include <algorithm>

#include "error.hh"

namespace wg::tool {
namespace {

const nlattr *next_of(const nlattr *attribute, int &len, const char *what) {
  if (!nla_ok(attribute, len)) fail_malformed(what);
  return nla_next(attribute, &len);
}

void split(nlattr **table, int max_type, const nlattr *first, int len, const char *what) {
  std::fill(table, table + max_type + 1, nullptr);
  for (const nlattr *attribute = first; len > 0;) {
    const nlattr *next = next_of(attribute, len, what);
    const int type = nla_type(attribute);
    if (type > 0 && type <= max_type) table[type] = const_cast<nlattr *>(attribute);
    attribute = next;
  }
}

}  // namespace

void fail_malformed(const char *what) {
  throw SystemError(EBADMSG, what);
}

// libnl checks minimum lengths; what has one length only is checked here.
const nlattr *exact(const nlattr *attribute, size_t len, const char *what) {
  if (attribute != nullptr && static_cast<size_t>(nla_len(attribute)) != len) fail_malformed(what);
  return attribute;
}

std::string load_string(const nlattr *attribute, size_t max_len) {
  const auto *text = static_cast<const char *>(nla_data(attribute));
  const size_t len = std::min(static_cast<size_t>(nla_len(attribute)), max_len);
  return {text, strnlen(text, len)};
}

std::optional<Endpoint> load_endpoint(const nlattr *attribute, const char *what) {
  Endpoint endpoint;
  const auto len = static_cast<size_t>(nla_len(attribute));
  if (len < sizeof(sa_family_t)) fail_malformed(what);
  const auto family = load<sa_family_t>(attribute);
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  exact(attribute, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6), what);
  std::memcpy(&endpoint.ipv6, nla_data(attribute), len);
  return endpoint;
}

void split_nest(nlattr **table, int max_type, const nlattr *nest, const char *what) {
  split(table, max_type, static_cast<const nlattr *>(nla_data(nest)), nla_len(nest), what);
}

void split_message(nlattr **table, int max_type, const nlmsghdr *message, size_t header_len,
                   const char *what) {
  if (message->nlmsg_len < NLMSG_HDRLEN + header_len) fail_malformed(what);
  const auto *first = reinterpret_cast<const nlattr *>(reinterpret_cast<const char *>(message) +
                                                       NLMSG_HDRLEN + header_len);
  split(table, max_type, first, static_cast<int>(message->nlmsg_len - NLMSG_HDRLEN - header_len),
        what);
}

void for_each(const nlattr *nest, const char *what,
              const std::function<void(const nlattr *)> &each) {
  int len = nla_len(nest);
  for (const auto *attribute = static_cast<const nlattr *>(nla_data(nest)); len > 0;) {
    const nlattr *next = next_of(attribute, len, what);
    each(attribute);
    attribute = next;
  }
}

}  // namespace wg::tool

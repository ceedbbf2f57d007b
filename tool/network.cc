// SPDX-License-Identifier: GPL-2.0
#include "network.hh"

#include <linux/fib_rules.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netlink/attr.h>
#include <netlink/msg.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "error.hh"
#include "netlink_socket.hh"
#include "text.hh"

namespace wg::tool {
namespace {

// A dump that others' changes interrupted is read again, but not for ever.
constexpr int kMaxDumps = 100;
constexpr uint16_t kNewFlags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;

template <typename Header>
Message new_request(uint16_t type, uint16_t flags, const Header &header) {
  Message message(nlmsg_alloc_simple(type, flags));
  if (!message) throw std::bad_alloc();
  // libnl takes the header's bytes as they are, hence a copy that is no const.
  Header copy = header;
  if (nlmsg_append(message.get(), &copy, sizeof(copy), NLMSG_ALIGNTO) < 0) throw std::bad_alloc();
  return message;
}

void put(const Message &message, int type, const void *data, size_t len) {
  if (nla_put(message.get(), type, static_cast<int>(len), data) < 0) throw SystemError(EMSGSIZE);
}

void put_u32(const Message &message, int type, uint32_t value) {
  put(message, type, &value, sizeof(value));
}

void put_text(const Message &message, int type, const std::string &text) {
  put(message, type, text.c_str(), text.size() + 1);
}

size_t address_len(const Prefix &prefix) {
  return prefix.family == AF_INET ? 4 : 16;
}

// Attributes of one message behind its header, by type. Malformed ones end the table: this is our
// own kernel, and what is missing reads as absent.
template <typename Header, size_t N>
class Attributes {
 public:
  explicit Attributes(const nlmsghdr *message) {
    const auto len = static_cast<size_t>(message->nlmsg_len);
    constexpr size_t kSkip = NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(Header));
    if (len < NLMSG_HDRLEN + sizeof(Header)) throw SystemError(EBADMSG);
    std::memcpy(&header_, reinterpret_cast<const char *>(message) + NLMSG_HDRLEN, sizeof(header_));
    if (len > kSkip) {
      split(reinterpret_cast<const char *>(message) + kSkip, static_cast<int>(len - kSkip));
    }
  }

  const Header &header() const { return header_; }
  const nlattr *at(size_t type) const { return table_.at(type); }
  bool has(size_t type) const { return table_.at(type) != nullptr; }

  uint32_t u32(size_t type, uint32_t otherwise = 0) const {
    const nlattr *attribute = at(type);
    if (attribute == nullptr || nla_len(attribute) < static_cast<int>(sizeof(uint32_t))) {
      return otherwise;
    }
    return nla_get_u32(attribute);
  }

  uint8_t u8(size_t type) const {
    const nlattr *attribute = at(type);
    return attribute != nullptr && nla_len(attribute) >= 1 ? nla_get_u8(attribute) : 0;
  }

  std::string text(size_t type) const {
    const nlattr *attribute = at(type);
    if (attribute == nullptr) return {};
    const auto *chars = static_cast<const char *>(nla_data(attribute));
    return {chars, strnlen(chars, static_cast<size_t>(nla_len(attribute)))};
  }

  // Into the address of @prefix, when it is there whole.
  bool address(size_t type, Prefix &prefix) const {
    const nlattr *attribute = at(type);
    if (attribute == nullptr || static_cast<size_t>(nla_len(attribute)) != address_len(prefix)) {
      return false;
    }
    std::memcpy(prefix.address.data(), nla_data(attribute), address_len(prefix));
    return true;
  }

 private:
  void split(const char *first, int len) {
    const auto *attribute = reinterpret_cast<const nlattr *>(first);
    for (; nla_ok(attribute, len); attribute = nla_next(attribute, &len)) {
      const auto type = static_cast<size_t>(nla_type(attribute));
      if (type < N) table_[type] = attribute;
    }
  }

  Header header_{};
  std::array<const nlattr *, N> table_{};
};

// The attribute of @type in @nest.
const nlattr *find_nested(const nlattr *nest, int type) {
  return nest == nullptr
             ? nullptr
             : nla_find(static_cast<const nlattr *>(nla_data(nest)), nla_len(nest), type);
}

std::string text_of(const nlattr *attribute) {
  if (attribute == nullptr) return {};
  const auto *chars = static_cast<const char *>(nla_data(attribute));
  return {chars, strnlen(chars, static_cast<size_t>(nla_len(attribute)))};
}

Link decode_one_link(const nlmsghdr *message) {
  const Attributes<ifinfomsg, IFLA_GROUP + 1> attributes(message);
  static_assert(IFLA_LINKINFO < IFLA_GROUP);
  Link link;
  link.index = static_cast<uint32_t>(attributes.header().ifi_index);
  link.name = attributes.text(IFLA_IFNAME);
  link.mtu = attributes.u32(IFLA_MTU);
  link.is_up = (attributes.header().ifi_flags & IFF_UP) != 0;
  link.kind = text_of(find_nested(attributes.at(IFLA_LINKINFO), IFLA_INFO_KIND));
  link.group = attributes.u32(IFLA_GROUP);
  return link;
}

// Return: 0 when a route has none.
uint32_t mtu_of(const nlattr *metrics) {
  const nlattr *mtu = find_nested(metrics, RTAX_MTU);
  return mtu != nullptr && nla_len(mtu) >= 4 ? nla_get_u32(mtu) : 0;
}

// Unicast routes with one way out.
std::optional<Route> decode_route(const nlmsghdr *message) {
  const Attributes<rtmsg, RTA_MAX + 1> attributes(message);
  const rtmsg &header = attributes.header();
  if (header.rtm_type != RTN_UNICAST || (header.rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
  if (header.rtm_family != AF_INET && header.rtm_family != AF_INET6) return std::nullopt;
  Route route;
  route.prefix.family = header.rtm_family;
  route.prefix.cidr = header.rtm_dst_len;
  attributes.address(RTA_DST, route.prefix);
  route.table = attributes.u32(RTA_TABLE, header.rtm_table);
  route.link_index = attributes.u32(RTA_OIF);
  route.protocol = header.rtm_protocol;
  route.mtu = mtu_of(attributes.at(RTA_METRICS));
  return route;
}

Rule decode_rule(const nlmsghdr *message) {
  const Attributes<fib_rule_hdr, FRA_MAX + 1> attributes(message);
  const fib_rule_hdr &header = attributes.header();
  Rule rule;
  rule.family = header.family;
  rule.priority = attributes.u32(FRA_PRIORITY);
  rule.mark = attributes.u32(FRA_FWMARK);
  rule.table = attributes.u32(FRA_TABLE, header.table);
  rule.protocol = attributes.u8(FRA_PROTOCOL);
  const bool selects_more = header.src_len != 0 || header.dst_len != 0 || header.tos != 0 ||
                            attributes.has(FRA_IIFNAME) || attributes.has(FRA_OIFNAME);
  const bool is_inverted = (header.flags & FIB_RULE_INVERT) != 0;
  // The kernel tells that there is no suppression by all ones.
  const uint32_t suppressed = attributes.u32(FRA_SUPPRESS_PREFIXLEN, UINT32_MAX);
  if (selects_more || header.action != FR_ACT_TO_TBL) return rule;
  if (is_inverted && rule.mark != 0 && suppressed == UINT32_MAX &&
      attributes.u32(FRA_FWMASK, UINT32_MAX) == UINT32_MAX) {
    rule.form = Rule::Form::kNotMark;
  } else if (!is_inverted && rule.mark == 0 && suppressed == 0 && rule.table == kMainTable) {
    rule.form = Rule::Form::kSuppress;
  }
  return rule;
}

class RtNetwork : public Network {
 public:
  std::vector<Link> links() override {
    return dump<Link>(
        RTM_GETLINK, RTM_NEWLINK, ifinfomsg{},
        [](const nlmsghdr *message) -> std::optional<Link> { return decode_one_link(message); });
  }

  void add_link(const std::string &name, const std::string &kind, uint32_t group) override {
    const Message request = new_request(RTM_NEWLINK, kNewFlags, ifinfomsg{});
    put_text(request, IFLA_IFNAME, name);
    put_u32(request, IFLA_GROUP, group);
    nlattr *info = nla_nest_start(request.get(), IFLA_LINKINFO);
    if (info == nullptr) throw SystemError(EMSGSIZE);
    put_text(request, IFLA_INFO_KIND, kind);
    nla_nest_end(request.get(), info);
    send(request);
  }

  void delete_link(uint32_t index) override {
    send(new_request(RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK, link_header(index)));
  }

  void set_mtu(uint32_t index, uint32_t mtu) override {
    const Message request = new_request(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, link_header(index));
    put_u32(request, IFLA_MTU, mtu);
    send(request);
  }

  void set_up(uint32_t index) override {
    ifinfomsg header = link_header(index);
    header.ifi_flags = IFF_UP;
    header.ifi_change = IFF_UP;
    send(new_request(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, header));
  }

  void set_group(uint32_t index, uint32_t group) override {
    const Message request = new_request(RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK, link_header(index));
    put_u32(request, IFLA_GROUP, group);
    send(request);
  }

  std::vector<LinkAddress> addresses(uint32_t index) override {
    ifaddrmsg header{};
    return dump<LinkAddress>(RTM_GETADDR, RTM_NEWADDR, header,
                             [index](const nlmsghdr *message) -> std::optional<LinkAddress> {
                               const Attributes<ifaddrmsg, IFA_MAX + 1> attributes(message);
                               const ifaddrmsg &found = attributes.header();
                               if (found.ifa_index != index) return std::nullopt;
                               if (found.ifa_family != AF_INET && found.ifa_family != AF_INET6)
                                 return std::nullopt;
                               LinkAddress address;
                               address.prefix.family = found.ifa_family;
                               address.prefix.cidr = found.ifa_prefixlen;
                               // Of IPv4, IFA_ADDRESS is the far end's.
                               if (!attributes.address(IFA_LOCAL, address.prefix) &&
                                   !attributes.address(IFA_ADDRESS, address.prefix)) {
                                 return std::nullopt;
                               }
                               address.is_link_local = found.ifa_scope == RT_SCOPE_LINK;
                               return address;
                             });
  }

  void add_address(uint32_t index, const Prefix &address) override {
    send(address_request(RTM_NEWADDR, kNewFlags, index, address));
  }

  void delete_address(uint32_t index, const Prefix &address) override {
    send(address_request(RTM_DELADDR, NLM_F_REQUEST | NLM_F_ACK, index, address));
  }

  std::vector<Route> routes(uint32_t table, uint32_t link_index) override {
    std::vector<Route> all;
    for (const uint8_t family : {AF_INET, AF_INET6}) {
      rtmsg header{};
      header.rtm_family = family;
      try {
        const auto some = dump<Route>(RTM_GETROUTE, RTM_NEWROUTE, header, decode_route,
                                      [&](const Message &request) {
                                        if (table != 0) put_u32(request, RTA_TABLE, table);
                                        if (link_index != 0) put_u32(request, RTA_OIF, link_index);
                                      });
        all.insert(all.end(), some.begin(), some.end());
      } catch (const SystemError &error) {
        // A table that has never been used, or a kernel without IPv6.
        const int code = error.error();
        if (code != ENOENT && code != EOPNOTSUPP && code != EAFNOSUPPORT) throw;
      }
    }
    // Kernels before 4.20 do not filter.
    std::erase_if(all, [&](const Route &route) {
      return route.table == RT_TABLE_LOCAL || (table != 0 && route.table != table) ||
             (link_index != 0 && route.link_index != link_index);
    });
    return all;
  }

  void add_route(const Route &route) override {
    send(route_request(RTM_NEWROUTE, kNewFlags, route));
  }

  void delete_route(const Route &route) override {
    send(route_request(RTM_DELROUTE, NLM_F_REQUEST | NLM_F_ACK, route));
  }

  std::vector<Rule> rules() override {
    std::vector<Rule> all;
    for (const uint8_t family : {AF_INET, AF_INET6}) {
      fib_rule_hdr header{};
      header.family = family;
      try {
        for (const Rule &rule : dump<Rule>(RTM_GETRULE, RTM_NEWRULE, header,
                                           [](const nlmsghdr *message) -> std::optional<Rule> {
                                             return decode_rule(message);
                                           })) {
          // A kernel without this family answers with all others.
          if (rule.family == family) all.push_back(rule);
        }
      } catch (const SystemError &error) {
        // A kernel without rules, or without IPv6, has none.
        if (error.error() != EOPNOTSUPP && error.error() != EAFNOSUPPORT) throw;
      }
    }
    return all;
  }

  void add_rule(const Rule &rule) override { send(rule_request(RTM_NEWRULE, kNewFlags, rule)); }

  void delete_rule(const Rule &rule) override {
    send(rule_request(RTM_DELRULE, NLM_F_REQUEST | NLM_F_ACK, rule));
  }

  std::optional<RouteAnswer> route_to(const Endpoint &endpoint, uint32_t mark) override {
    rtmsg header{};
    header.rtm_family = static_cast<uint8_t>(endpoint.address.sa_family);
    const bool is_ipv4 = header.rtm_family == AF_INET;
    header.rtm_dst_len = is_ipv4 ? 32 : 128;
    const Message request = new_request(RTM_GETROUTE, NLM_F_REQUEST | NLM_F_ACK, header);
    if (is_ipv4) {
      put(request, RTA_DST, &endpoint.ipv4.sin_addr, 4);
    } else {
      put(request, RTA_DST, &endpoint.ipv6.sin6_addr, 16);
    }
    if (mark != 0) put_u32(request, RTA_MARK, mark);
    RouteAnswer answer;
    try {
      socket().transact(request, [&](const nlmsghdr *message) {
        if (message->nlmsg_type != RTM_NEWROUTE) return;
        const Attributes<rtmsg, RTA_MAX + 1> attributes(message);
        answer.link_index = attributes.u32(RTA_OIF);
        answer.mtu = mtu_of(attributes.at(RTA_METRICS));
      });
    } catch (const SystemError &) {
      // Unreachable, prohibited, no family: no way there, whatever the reason.
      return std::nullopt;
    }
    if (answer.link_index == 0) return std::nullopt;
    return answer;
  }

 private:
  static ifinfomsg link_header(uint32_t index) {
    ifinfomsg header{};
    header.ifi_index = static_cast<int>(index);
    return header;
  }

  static Message address_request(uint16_t type, uint16_t flags, uint32_t index,
                                 const Prefix &address) {
    ifaddrmsg header{};
    header.ifa_family = static_cast<uint8_t>(address.family);
    header.ifa_prefixlen = address.cidr;
    header.ifa_index = index;
    Message request = new_request(type, flags, header);
    put(request, IFA_LOCAL, address.address.data(), address_len(address));
    put(request, IFA_ADDRESS, address.address.data(), address_len(address));
    return request;
  }

  static Message route_request(uint16_t type, uint16_t flags, const Route &route) {
    rtmsg header{};
    header.rtm_family = static_cast<uint8_t>(route.prefix.family);
    header.rtm_dst_len = route.prefix.cidr;
    header.rtm_type = RTN_UNICAST;
    header.rtm_protocol = route.protocol;
    header.rtm_scope = route.prefix.family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
    if (type == RTM_DELROUTE) {
      // To delete, anything matches but where it leads.
      header.rtm_protocol = RTPROT_UNSPEC;
      header.rtm_scope = RT_SCOPE_NOWHERE;
    }
    Message request = new_request(type, flags, header);
    put(request, RTA_DST, route.prefix.address.data(), address_len(route.prefix));
    put_u32(request, RTA_OIF, route.link_index);
    put_u32(request, RTA_TABLE, route.table);
    return request;
  }

  static Message rule_request(uint16_t type, uint16_t flags, const Rule &rule) {
    fib_rule_hdr header{};
    header.family = static_cast<uint8_t>(rule.family);
    header.action = FR_ACT_TO_TBL;
    if (rule.form == Rule::Form::kNotMark) header.flags = FIB_RULE_INVERT;
    Message request = new_request(type, flags, header);
    put_u32(request, FRA_TABLE, rule.table);
    if (rule.form == Rule::Form::kNotMark) put_u32(request, FRA_FWMARK, rule.mark);
    if (rule.form == Rule::Form::kSuppress) put_u32(request, FRA_SUPPRESS_PREFIXLEN, 0);
    if (rule.priority != 0) put_u32(request, FRA_PRIORITY, rule.priority);
    put(request, FRA_PROTOCOL, &rule.protocol, sizeof(rule.protocol));
    return request;
  }

  template <typename T, typename Header, typename Decode>
  std::vector<T> dump(uint16_t type, uint16_t answer_type, const Header &header, Decode decode) {
    return dump<T>(type, answer_type, header, decode, [](const Message &) {});
  }

  // @narrow adds what the kernel is to filter by.
  template <typename T, typename Header, typename Decode, typename Narrow>
  std::vector<T> dump(uint16_t type, uint16_t answer_type, const Header &header, Decode decode,
                      Narrow narrow) {
    std::vector<T> found;
    for (int attempt = 0; attempt < kMaxDumps; ++attempt) {
      found.clear();
      const Message request = new_request(type, NLM_F_REQUEST | NLM_F_DUMP, header);
      narrow(request);
      const bool consistent = socket().transact(request, [&](const nlmsghdr *message) {
        if (message->nlmsg_type != answer_type) return;
        std::optional<T> one = decode(message);
        if (one) found.push_back(std::move(*one));
      });
      if (consistent) break;
    }
    // On a router with changes all the time the last list is as good as another.
    return found;
  }

  void send(const Message &request) {
    socket().transact(request, [](const nlmsghdr *) {});
  }

  NetlinkSocket &socket() {
    if (!socket_) {
      socket_ = std::make_unique<NetlinkSocket>(NETLINK_ROUTE);
      socket_->filter_dumps();
    }
    return *socket_;
  }

  std::unique_ptr<NetlinkSocket> socket_;
};

}  // namespace

std::optional<Link> Network::find_link(const std::string &name) {
  for (Link &link : links()) {
    if (link.name == name) return std::move(link);
  }
  return std::nullopt;
}

std::unique_ptr<Network> open_network() {
  return std::make_unique<RtNetwork>();
}

}  // namespace wg::tool

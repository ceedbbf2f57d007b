// SPDX-License-Identifier: GPL-2.0
// Names are looked up while text is parsed as wg(8) does it. A fuzzer must not ask the network, nor
// wait: include this in one file of a target, and no name has an address.
#pragma once

#include <dlfcn.h>
#include <netdb.h>

#include <cstdlib>

extern "C" int getaddrinfo(const char *host, const char *port, const addrinfo *hints,
                           addrinfo **found) {
  using Function = int (*)(const char *, const char *, const addrinfo *, addrinfo **);
  static const auto real = reinterpret_cast<Function>(dlsym(RTLD_NEXT, "getaddrinfo"));
  addrinfo numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  return real(host, port, &numeric, found);
}

extern "C" int LLVMFuzzerInitialize(int *, char ***) {
  return setenv("WG_ENDPOINT_RESOLUTION_RETRIES", "0", 1);
}

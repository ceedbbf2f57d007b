// SPDX-License-Identifier: GPL-2.0
/* Loading and unloading. */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#if defined(CONFIG_X86) || defined(CONFIG_UML_X86) || defined(CONFIG_ARM64)
#include <asm/cpufeature.h>
#endif
#include <linux/ctype.h>
#include <linux/genetlink.h>
#include <linux/module.h>
#include <net/genetlink.h>
#include <net/rtnetlink.h>

#include "allowedips.h"
#include "device.h"
#include "diag.h"
#include "netlink.h"
#include "peer.h"
#include "ratelimiter.h"
#include "vectors.h"
#include "wgpp.h"

static char kind[GENL_NAMSIZ] = "wireguard";
module_param_string(kind, kind, sizeof(kind), 0444);
MODULE_PARM_DESC(kind, "name of the link kind and of the netlink family (default: wireguard)");

static char crypto[8] = "auto";
module_param_string(crypto, crypto, sizeof(crypto), 0444);
MODULE_PARM_DESC(crypto, "instructions of the cryptography: auto, scalar, avx2, avx512 or neon (default: auto, the best that the processor has)");

bool wg_vectors_used __ro_after_init;

static bool kind_is_valid(void)
{
	const char *c;

	for (c = kind; *c; ++c) {
		if (!isalnum(*c) && *c != '-' && *c != '_')
			return false;
	}
	return c != kind;
}

/*
 * Says what to do about it, as the loader shows only an error's name. A name that is taken
 * is -EBUSY then: modprobe takes -EEXIST for "loaded already" and reports success.
 */
static int explain_failure(const char *what, int ret)
{
	if (ret != -EEXIST) {
		pr_err("cannot register the %s \"%s\": error %d\n", what, kind, ret);
		return ret;
	}
	if (!strcmp(kind, "wireguard"))
		pr_err("the %s \"wireguard\" belongs to the in-tree module wireguard: unload it (modprobe -r wireguard), or load this one beside it with kind=wgpp\n",
		       what);
	else
		pr_err("the %s \"%s\" belongs to another module: choose another name with kind=\n",
		       what, kind);
	return -EBUSY;
}

#if defined(CONFIG_X86)
static bool __init has_ymm_state(void)
{
	return cpu_has_xfeatures(XFEATURE_MASK_SSE | XFEATURE_MASK_YMM, NULL);
}

static bool __init has_avx512_state(void)
{
	return has_ymm_state() && cpu_has_xfeatures(XFEATURE_MASK_AVX512, NULL);
}
#elif defined(CONFIG_UML_X86)
/* The registers are saved by the kernel below. */
static bool __init has_ymm_state(void)
{
	return true;
}

static bool __init has_avx512_state(void)
{
	return true;
}
#endif

static u32 __init cpu_features(void)
{
	u32 features = 0;

#if defined(CONFIG_X86) || defined(CONFIG_UML_X86)
	if (boot_cpu_has(X86_FEATURE_POPCNT))
		features |= WGC_CPU_POPCNT;
	if (IS_ENABLED(CONFIG_64BIT) && boot_cpu_has(X86_FEATURE_AVX2) &&
	    boot_cpu_has(X86_FEATURE_BMI2) && has_ymm_state())
		features |= WGC_CPU_AVX2;
	if ((features & WGC_CPU_AVX2) && boot_cpu_has(X86_FEATURE_AVX512F) &&
	    boot_cpu_has(X86_FEATURE_AVX512VL) && has_avx512_state())
		features |= WGC_CPU_AVX512;
	if ((features & WGC_CPU_AVX512) && boot_cpu_has(X86_FEATURE_AVX512IFMA))
		features |= WGC_CPU_IFMA;
	if (IS_ENABLED(CONFIG_64BIT) && boot_cpu_has(X86_FEATURE_ADX) &&
	    boot_cpu_has(X86_FEATURE_BMI2))
		features |= WGC_CPU_ADX;
#elif defined(WG_HAVE_NEON)
	if (cpu_have_named_feature(ASIMD))
		features |= WGC_CPU_NEON;
#endif
	return features;
}

/* Return: 0, or an error that has been explained. */
static int __init choose_crypto(void)
{
	u32 features = cpu_features();
	const char *level;
	char levels[64];
	size_t i;
	int len;

	if (wgc_cpu_choose(features, crypto)) {
		wg_vectors_used = strcmp(wgc_crypto_level(), "scalar");
		return 0;
	}
	len = scnprintf(levels, sizeof(levels), "auto");
	for (i = 0; (level = wgc_cpu_level(features, i)); ++i)
		len += scnprintf(levels + len, sizeof(levels) - len, ", %s", level);
	pr_err("crypto=\"%s\" is none of what this processor can do: %s\n", crypto, levels);
	return -EINVAL;
}

/* Return: 0, -ENOMEM, or an error that has been explained. */
static int __init run_selftests(void)
{
	struct wgc_shared_secrets_work *work = kmalloc(sizeof(*work), GFP_KERNEL);
	const char *failed_test;
	bool begun;

	if (!work)
		return -ENOMEM;
	failed_test = wgc_selftest();
	begun = !failed_test && wg_vectors_begin();
	if (begun)
		failed_test = wgc_selftest_vectors(work);
	wg_vectors_end(begun);
	kfree(work);
	if (!failed_test)
		return 0;
	pr_err("self-test of %s failed: refusing to load\n", failed_test);
	return -EIO;
}

static int __init wg_module_init(void)
{
	int ret;

	if (!kind_is_valid()) {
		pr_err("kind=\"%s\" is no name: use letters, digits, '-' and '_'\n", kind);
		return -EINVAL;
	}
	ret = choose_crypto();
	if (ret)
		return ret;
	ret = run_selftests();
	if (ret)
		return ret;
	ret = wg_allowedips_slab_init();
	if (ret)
		return ret;
	ret = wg_peer_init();
	if (ret)
		goto err_allowedips;
	ret = wg_ratelimiter_init();
	if (ret)
		goto err_peer;
	ret = wg_device_init(kind);
	if (ret) {
		ret = explain_failure("link kind", ret);
		goto err_ratelimiter;
	}
	ret = wg_netlink_init(kind);
	if (ret) {
		ret = explain_failure("netlink family", ret);
		goto err_device;
	}
	ret = wg_diag_init(kind);
	if (ret) {
		ret = explain_failure("netlink family for diagnosis", ret);
		goto err_netlink;
	}
	pr_info("link kind and netlink family \"%s\", crypto %s, X25519 %s, self-test passed\n",
		kind, wgc_crypto_level(), wgc_x25519_level());
	return 0;

err_netlink:
	wg_netlink_uninit();
err_device:
	wg_device_uninit();
err_ratelimiter:
	wg_ratelimiter_uninit();
err_peer:
	wg_peer_uninit();
err_allowedips:
	wg_allowedips_slab_uninit();
	return ret;
}

static void __exit wg_module_exit(void)
{
	wg_diag_uninit();
	wg_netlink_uninit();
	wg_device_uninit();
	wg_ratelimiter_uninit();
	wg_peer_uninit();
	wg_allowedips_slab_uninit();
}

module_init(wg_module_init);
module_exit(wg_module_exit);
MODULE_LICENSE("GPL v2");
MODULE_DESCRIPTION("WireGuard protocol with a C++ core");
MODULE_AUTHOR("The wgpp authors");
MODULE_VERSION("0.1.0");
MODULE_ALIAS_RTNL_LINK("wireguard");
MODULE_ALIAS_GENL_FAMILY("wireguard");
MODULE_ALIAS_GENL_FAMILY(WGPP_FAMILY);

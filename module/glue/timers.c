// SPDX-License-Identifier: GPL-2.0
#include "timers.h"

#include <linux/jiffies.h>
#include <linux/random.h>
#include <linux/timekeeping.h>

#include "compat.h"
#include "peer.h"
#include "send.h"
#include "socket.h"

/* Context: timers->lock. Rounds up, so that the core finds the deadline passed. */
static void arm(struct wg_timers *timers, u64 deadline_ns, u64 now_ns)
{
	u64 delay_ns;

	if (deadline_ns == WGC_NO_DEADLINE || !timers->is_running)
		return;
	if (timer_pending(&timers->timer) && timers->armed_ns <= deadline_ns)
		return;
	delay_ns = deadline_ns > now_ns ? deadline_ns - now_ns : 0;
	timers->armed_ns = deadline_ns;
	mod_timer(&timers->timer, jiffies + nsecs_to_jiffies(delay_ns) + 1);
}

static void carry_out(struct wg_peer *peer, u32 actions)
{
	if (actions & WGC_ACT_PURGE_STAGED)
		wg_packet_purge_staged(peer, WGPP_DROP_GAVE_UP);
	if (actions & WGC_ACT_CLEAR_SOURCE)
		wg_socket_clear_source(peer);
	if (actions & WGC_ACT_INITIATE)
		wg_packet_schedule_initiation(peer);
	if (actions & WGC_ACT_KEEPALIVE)
		wg_packet_send_keepalive(peer);
	if (actions & WGC_ACT_ZERO_KEYS) {
		/* Wiping takes locks that sleep. The work gives the reference back. */
		wg_peer_get(peer);
		if (!queue_work(peer->wg->handshake_send_wq, &peer->zero_keys_work))
			wg_peer_put(peer);
	}
}

static void timer_expired(struct timer_list *timer)
{
	struct wg_timers *timers = timer_container_of(timers, timer, timer);
	struct wg_peer *peer = container_of(timers, struct wg_peer, timers);
	u64 now_ns = ktime_get_coarse_boottime_ns();
	u64 deadline_ns;
	u32 actions = 0;

	spin_lock(&timers->lock);
	if (timers->is_running) {
		actions = wgc_timers_expire(&timers->core, &deadline_ns, now_ns);
		/*
		 * Leave is taken under the same lock: a response that goes out in between
		 * would have it refused, and a refused retry is not repeated.
		 */
		if ((actions & WGC_ACT_INITIATE) &&
		    !wgc_timers_begin_initiation(&timers->core, actions & WGC_ACT_RETRY, now_ns))
			actions &= ~WGC_ACT_INITIATE;
		arm(timers, deadline_ns, now_ns);
	}
	spin_unlock(&timers->lock);
	carry_out(peer, actions);
}

void wg_timers_init(struct wg_peer *peer)
{
	struct wg_timers *timers = &peer->timers;

	spin_lock_init(&timers->lock);
	wgc_timers_init(&timers->core);
	timer_setup(&timers->timer, timer_expired, 0);
}

void wg_timers_start(struct wg_peer *peer)
{
	spin_lock_bh(&peer->timers.lock);
	peer->timers.is_running = true;
	spin_unlock_bh(&peer->timers.lock);
}

void wg_timers_stop(struct wg_peer *peer)
{
	struct wg_timers *timers = &peer->timers;

	spin_lock_bh(&timers->lock);
	timers->is_running = false;
	wgc_timers_stop(&timers->core);
	spin_unlock_bh(&timers->lock);
	/* Nobody arms it again: that needs the lock and is_running. */
	timer_delete_sync(&timers->timer);
}

void wg_timers_event(struct wg_peer *peer, u32 events)
{
	struct wg_timers *timers = &peer->timers;
	u64 now_ns = ktime_get_coarse_boottime_ns();
	u32 random = get_random_u32();

	spin_lock_bh(&timers->lock);
	if (timers->is_running)
		arm(timers, wgc_timers_event(&timers->core, events, random, now_ns), now_ns);
	spin_unlock_bh(&timers->lock);
}

bool wg_timers_begin_initiation(struct wg_peer *peer)
{
	struct wg_timers *timers = &peer->timers;
	bool granted;

	spin_lock_bh(&timers->lock);
	granted = timers->is_running &&
		  wgc_timers_begin_initiation(&timers->core, false,
					      ktime_get_coarse_boottime_ns());
	spin_unlock_bh(&timers->lock);
	return granted;
}

void wg_timers_forget_initiation(struct wg_peer *peer)
{
	spin_lock_bh(&peer->timers.lock);
	wgc_timers_forget_initiation(&peer->timers.core);
	spin_unlock_bh(&peer->timers.lock);
}

bool wg_timers_set_persistent(struct wg_peer *peer, u16 seconds)
{
	struct wg_timers *timers = &peer->timers;
	bool was_off;

	spin_lock_bh(&timers->lock);
	was_off = !wgc_timers_persistent(&timers->core);
	wgc_timers_set_persistent(&timers->core, seconds);
	spin_unlock_bh(&timers->lock);
	return was_off && seconds;
}

u16 wg_timers_persistent(struct wg_peer *peer)
{
	u16 seconds;

	spin_lock_bh(&peer->timers.lock);
	seconds = wgc_timers_persistent(&peer->timers.core);
	spin_unlock_bh(&peer->timers.lock);
	return seconds;
}

void wg_timers_get_facts(struct wg_peer *peer, struct wg_timer_facts *facts)
{
	struct wg_timers *timers = &peer->timers;

	spin_lock_bh(&timers->lock);
	facts->num_attempts = wgc_timers_attempts(&timers->core);
	facts->next_ns = timer_pending(&timers->timer) ? timers->armed_ns : 0;
	spin_unlock_bh(&timers->lock);
}

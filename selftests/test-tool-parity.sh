#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Takes 100 s
# Time limit: 600 s
#
# wgtool against the system's wg(8): the same arguments on the same device must print the
# same bytes and end with the same status, the same change on twin devices must leave the
# same state, and what wg takes silently wrong must be refused under our own name, without
# touching anything. Generated commands are tool-differential's.
#
#   show0        read by both tools
#   ref0, new0   twins: wg changes ref0, wgtool changes new0
#   wg0          in namespaces a and b (common.sh), with traffic between them

# In a network namespace of its own, so that `show all` sees this test's devices only.
if [[ -z ${WGPP_PARITY:-} ]]; then
	WGPP_PARITY=1 exec unshare --net -- "$BASH" "$0" "$@"
fi

# wg(8) knows no other kind.
KIND=wireguard
. "$(dirname "$0")/common.sh"

# The tool under test, also when the other selftests run with wg.
tool=$WGTOOL
if [[ $(basename "$tool") != wgtool ]]; then
	tool=$SELFTESTS/../build/tool/wgtool
fi
reference=$(command -v wg) || bail_out "wg is not installed (wireguard-tools)"
command -v "$tool" >/dev/null || bail_out "$tool is not built"
tool=$(realpath "$(command -v "$tool")")

# Usage lines name the program as it was called: here both are called wg.
mkdir "$tmp/ref" "$tmp/new"
ln -s "$reference" "$tmp/ref/wg"
ln -s "$tool" "$tmp/new/wg"

# Emulated, a process takes longer than what it does, so this file avoids helpers: the
# whole test lives in one namespace, and bash compares by itself.

# slurp VARIABLE FILE: all of it, last newline included
slurp() {
	IFS= read -r -d '' "$1" <"$2" || true
}

# run_as SIDE ARGUMENTS...: sets status, SIDE_out and SIDE_err (SIDE: ref or new), runs
# behind the words in enter
enter=()
ref_out='' ref_err='' new_out='' new_err=''
run_as() {
	local side=$1
	shift
	status=0
	PATH=$tmp/$side:$PATH "${enter[@]}" wg "$@" >"$tmp/$side.out" 2>"$tmp/$side.err" \
		<"${input:-/dev/null}" || status=$?
	slurp "${side}_out" "$tmp/$side.out"
	slurp "${side}_err" "$tmp/$side.err"
}

# run_own ARGUMENTS...: as run_as new, but under our own name
run_own() {
	status=0
	"$tool" "$@" >"$tmp/new.out" 2>"$tmp/new.err" </dev/null || status=$?
	slurp new_out "$tmp/new.out"
	slurp new_err "$tmp/new.err"
}

# Where both fail, ours says what theirs says, after the file and the line of a
# configuration and before what would be right. The usage of set has gained signs.
same_messages() {
	local theirs=${ref_err%$'\n'} ours=${new_err%$'\n'} first
	ours=${ours//\[+|-\]/}
	first=${theirs%%$'\n'*}
	[[ $ours == "$theirs" || $ours == "$first"* && $theirs == "$first" ]] && return
	[[ $ours =~ ^[^[:space:]]+:[0-9]+:\ (.*)$ && ${BASH_REMATCH[1]} == "$first"* ]] && return
	expect_eq "standard error of wg $*" "$ours" "$theirs"
}

# both ARGUMENTS...: one command, two tools, the same result
both() {
	local ref_status age='handshake[^:]*: [^'$'\n'']*'
	run_as ref "$@"
	ref_status=$status
	run_as new "$@"
	# Time passes between the two. How ages read is a matter of the unit tests.
	while [[ $ref_out =~ $age ]]; do ref_out=${ref_out/"${BASH_REMATCH[0]}"/age}; done
	while [[ $new_out =~ $age ]]; do new_out=${new_out/"${BASH_REMATCH[0]}"/age}; done
	[[ $ref_out == "$new_out" ]] || {
		echo "output of: wg $*"
		diff -u "$tmp/ref.out" "$tmp/new.out"
		return 1
	}
	expect_eq "status of wg $*" "$status" "$ref_status"
	same_messages "$@"
}

fields="public-key private-key listen-port fwmark peers preshared-keys endpoints allowed-ips
	latest-handshakes transfer persistent-keepalive dump"

# every_form DEV: all that can be shown of one device
every_form() {
	local field
	both show "$1"
	WG_COLOR_MODE=always both show "$1"
	WG_COLOR_MODE=always WG_HIDE_KEYS=never both show "$1"
	WG_COLOR_MODE=never WG_HIDE_KEYS=always both show "$1"
	both showconf "$1"
	for field in $fields; do
		both show "$1" "$field"
	done
}

# The last answer is acknowledged by a keepalive 10 s later. It is not to come between two tools.
is_quiet() {
	local before
	before=$(wg_in a show wg0 transfer)
	sleep 11
	expect_eq "transfer" "$(wg_in a show wg0 transfer)" "$before"
}

with_traffic() {
	local enter=(nsenter "--net=/run/netns/$prefix-a")
	ping_ns a 10.9.0.2 -c 3
	handshake_done a b
	wait_until 60 is_quiet
	every_form wg0
}

# wg 1.0.20210914 prints the device's name once per device instead of once per line for
# endpoints; the manual page and later versions prefix each line.
all_forms() {
	local field
	both
	both show
	both show all
	both show interfaces
	for field in $fields; do
		[[ $field == endpoints ]] || both show all "$field"
	done
}

all_endpoints() {
	local dev expected=''
	for dev in $("$reference" show interfaces); do
		expected+=$("$reference" show "$dev" endpoints | sed "s/^/$dev\t/")$'\n'
	done
	run_as new show all endpoints
	expect_eq "status" "$status" 0
	expect_eq "endpoints" "$(sort "$tmp/new.out")" "$(sort <<<"$expected" | sed '/^$/d')"
}

# The two twins hold the same, and in the same order.
same_twins() {
	local first
	run_as ref show ref0 dump
	first=$ref_out
	run_as ref show new0 dump
	[[ $first == "$ref_out" ]] || {
		echo "after: wg $*"
		diff -u <(printf %s "$first") <(printf %s "$ref_out")
		return 1
	}
}

# twin COMMAND ARGUMENTS...: the same change of both twins
twin() {
	local command=$1 ref_status
	shift
	run_as ref "$command" ref0 "$@"
	ref_status=$status
	run_as new "$command" new0 "$@"
	expect_eq "status of wg $command $*: $new_err" "$status" "$ref_status"
	same_messages "$command" "$@"
	same_twins "$command" "$@"
}

bad_arguments() {
	local key=${pub[k3]} value
	for value in '' x 0x10 -1; do
		# The resolver's words for these; ours names the number's range.
		run_as new set new0 listen-port "$value"
		expect_eq "status of listen-port '$value'" "$status" 1
	done
	for value in '' 0x 0X10 -1 010x 4294967296 ' 1'; do twin set fwmark "$value"; done
	for value in '' 25s -1 65536 0x10; do twin set peer "$key" persistent-keepalive "$value"; done
	for value in 10.0/8 010.0.0.0/8 10.0.0.0/33 10.0.0.0/ / '1.2.3.4,,' ::/129 fe80::1%lo/64 x; do
		twin set peer "$key" allowed-ips "$value"
	done
	for value in '' 192.0.2.1 '[::1' '[::1]' '[::1]80' ':80' 'x:'; do
		twin set peer "$key" endpoint "$value"
	done
	twin set foo
	twin set listen-port
	twin set peer
	twin set peer xx
	twin set peer "$key" listen-port 3
	twin set remove
	twin set private-key /nonexistent
	printf 'short' >"$tmp/short.key"
	run_as new set new0 private-key "$tmp/short.key"
	expect_eq "status of a short key file" "$status" 1
}

usage() {
	local words
	for words in "help" "--help" "-h" "nonsense" "-x" "help me" "show --help" "show -h" \
		"show show0 nonsense" "show show0 peers more" "show interfaces more" "showconf" \
		"showconf a b" "showconf --help" "set" "set show0" "setconf" "setconf show0" \
		"addconf" "syncconf" "genkey x" "genkey --help" "genpsk x" "pubkey x" \
		"show absent" "showconf absent" "set absent fwmark 1" "show lo" "set lo fwmark 1" \
		"setconf show0 /nonexistent"; do
		# shellcheck disable=SC2086 # a list of words
		both $words
	done
	run_as new --version
	expect_eq "status of --version" "$status" 0
	[[ $new_out =~ ^wgtool\ v[0-9]+\.[0-9]+\.[0-9]+$'\n'$ ]]
}

keys() {
	local i
	for ((i = 0; i < 20; i++)); do
		run_as new genkey
			input=$tmp/new.out
		cp "$tmp/new.out" "$tmp/generated"
		input=$tmp/generated both pubkey
	done
	for i in '' x 'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=' \
		'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA= ' \
		'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=x' \
		'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'; do
		printf '%s\n' "$i" >"$tmp/generated"
		input=$tmp/generated both pubkey
	done
	rm "$tmp/new.out"
	(umask 0 && run_as new genkey)
	grep -q '^Warning: writing to world accessible file.$' "$tmp/new.err"
}

# file TEXT: a configuration file
file() {
	printf '%b' "$1" >"$tmp/file.conf"
}

config_files() {
	local head peer text
	head="[Interface]\nPrivateKey = $(<"$tmp/k1.key")\nListenPort = 7001\n"
	peer="[Peer]\nPublicKey = ${pub[k3]}\n"
	for text in "$head" "$head$peer" "$head${peer}AllowedIPs = 10.0.0.0/8, fd00::/8\n" \
		"[interface]\nlisten port = 70 02 # x\r\nprivatekey=$(<"$tmp/k2.key")\nFWMARK=0x5\n" \
		"$head${peer}AllowedIPs=10.1.0.0/16\nallowedips=10.2.0.0/16\nEndpoint=192.0.2.3:9\n" \
		"$head${peer}PersistentKeepalive=25\nPresharedKey=$(<"$tmp/one.psk")\n" \
		"$head${peer}Persistent Keepalive = off\n[PEER]\npublickey=${pub[k4]}\n" \
		"foo" "${head}foo\n" "ListenPort=3" "[Interface]\nListenPort=\n" "[Interface]\nFwMark=x" \
		"[Interface]\nAddress=192.0.2.4/24\n" "$head${peer}AllowedIPs=1.2.3\n" "[Interface]x" \
		"$head${peer}AllowedIPs=\n" "$head${peer}Endpoint=1.2.3.4\n" "$head${peer}ListenPort=1" \
		"${head}[Peer]\nPublicKey=x\n" "$head${peer}PersistentKeepalive=x" "\xef\xbb\xbf$head"; do
		file "$text"
		twin setconf "$tmp/file.conf"
		twin addconf "$tmp/file.conf"
	done
	file "${head}[Peer]\nAllowedIPs=10.0.0.0/8\n"
	twin setconf "$tmp/file.conf"
	file "[Peer]\nPublicKey=${pub[k5]}\nAllowedIPs=10.5.0.0/16\n"
	twin addconf "$tmp/file.conf"
	file "$head${peer}AllowedIPs=10.6.0.0/16\n"
	twin syncconf "$tmp/file.conf"
	# What showconf wrote can be read back.
	run_as new showconf new0
	printf %s "$new_out" >"$tmp/file.conf"
	twin setconf "$tmp/file.conf"
}

# refused COMMAND ARGUMENTS...: status 1, a message with the pattern, and nothing changed
refused() {
	local pattern=$1 before
	shift
	run_as ref show new0 dump
	before=$ref_out
	run_own "$@"
	expect_eq "status of wgtool $*" "$status" 1
	[[ $new_err =~ $pattern ]] || {
		echo "message of wgtool $*: $new_err"
		return 1
	}
	run_as ref show new0 dump
	expect_eq "state after wgtool $*" "$ref_out" "$before"
}

refusals() {
	local key=${pub[k3]}
	refused '0 to 65535: .70000' set new0 listen-port 70000
	refused '0 to 65535: .ntp' set new0 listen-port ntp
	refused '1 to 65535: .192.0.2.1:70000' set new0 peer "$key" endpoint 192.0.2.1:70000
	refused '1 to 65535: .192.0.2.1:0' set new0 peer "$key" endpoint 192.0.2.1:0
	refused 'not a full IPv4' set new0 peer "$key" endpoint 1.2.3:80
	refused 'brackets: .2001:db8::1:51820' set new0 peer "$key" endpoint 2001:db8::1:51820
	file "[Interface]\nListenPort=70000\n"
	refused 'file.conf:2: Listen port .*0 to 65535: .70000' setconf new0 "$tmp/file.conf"
	file "[Interface]\n[Peer]\nPublicKey=$key\nEndpoint=1.2.3:80\n"
	refused 'file.conf:4: .*1.2.3:80.*write four numbers' addconf new0 "$tmp/file.conf"
	file "[Peer]\nPublicKey=$key\nAllowedIPs=10.0.0.0/8\n[Peer]\nPublicKey=$key\n"
	refused ':4: Peer .* line 1 already' setconf new0 "$tmp/file.conf"
	refused 'is empty: ./dev/null' setconf new0 /dev/null
	refused 'is empty: ./dev/null.*private-key /dev/null' syncconf new0 /dev/null
	refused 'Invalid parameter: .bogus' show all bogus
}

# Private key and port outlive a file that has none.
keeps_key() {
	local before after command
	run_as new set new0 private-key "$tmp/k1.key" listen-port 7009
	before=$("$reference" show new0 private-key)
	file "[Interface]\nFwMark = 9\n"
	for command in setconf syncconf; do
		run_own "$command" new0 "$tmp/file.conf"
		expect_eq "status of $command" "$status" 0
		after=$("$reference" show new0 private-key)
		expect_eq "private key after $command" "$after" "$before"
		expect_eq "port after $command" "$("$reference" show new0 listen-port)" 7009
	done
}

incremental_ips() {
	local key=${pub[k6]}
	run_as new set new0 peer "$key" allowed-ips 10.1.0.0/16,10.2.0.0/16
	run_as new set new0 peer "$key" allowed-ips +10.3.0.0/16,-10.1.0.0/16
	expect_eq "status ($new_err)" "$status" 0
	run_as new show new0 allowed-ips
	expect_eq "allowed ips" "$(awk -v k="$key" '$1 == k { $1 = ""; print }' "$tmp/new.out" |
		tr ' ' '\n' | sort | xargs)" "10.2.0.0/16 10.3.0.0/16"
}

# Enough for a dump and a set of many messages; through both tools on the twins.
large_device() {
	local i j
	{
		# Both twins get the port in the file: a chosen one would differ.
		echo "[Interface]"
		echo "ListenPort = 7010"
		echo "PrivateKey = $(<"$tmp/k1.key")"
		for ((i = 100; i < 250; i++)); do
			echo "[Peer]"
			echo "PublicKey = A${i}AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
			for ((j = 0; j < 12; j++)); do echo "AllowedIPs = 10.0.$i.$((j * 8))/29"; done
		done
		echo "[Peer]"
		echo "PublicKey = ${pub[k3]}"
		for ((i = 0; i < 2000; i++)); do echo "AllowedIPs = 10.9.$((i / 250)).$((i % 250))/32"; done
	} >"$tmp/file.conf"
	twin setconf "$tmp/file.conf"
	both show new0 dump
	both show new0
	expect_eq "prefixes" "$("$reference" show new0 allowed-ips | wc -w)" $((151 + 150 * 12 + 2000))
}

require_tools wg
plan 14
modprobe wireguard 2>/dev/null || true
keygen k1 k2 k3 k4 k5 k6
pskgen one

check "no device at all" both show all
for dev in show0 ref0 new0; do ip link add "$dev" type wireguard; done

check "a device without anything in every form" every_form show0
"$reference" set show0 listen-port 5000 fwmark 0xca6c private-key "$tmp/k1.key" \
	peer "${pub[k3]}" preshared-key "$tmp/one.psk" endpoint 192.0.2.1:51820 \
	persistent-keepalive 3661 allowed-ips 10.0.0.0/8,fd00::/8,0.0.0.0/0 \
	peer "${pub[k4]}" endpoint '[2001:db8::1]:1' \
	peer "${pub[k5]}" endpoint '[fe80::1%lo]:65535' allowed-ips ::/0
check "a device with everything in every form" every_form show0
check "all devices in every form" all_forms
check "endpoints of all devices, each line with its device" all_endpoints
pair_create
pair_outer 4
check "a device with a handshake and counters in every form" with_traffic
check "usage, unknown devices and statuses" usage
check "keys" keys
check "bad arguments get the same answer" bad_arguments
check "configuration files leave the same state" config_files
check "what wg takes silently wrong is refused" refusals
check "incremental allowed ips" incremental_ips
check "a file without a private key and a port leaves them" keeps_key
check "a device of many messages" large_device
finish

# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# Completion of wgtool for bash. Commands and options come from the program's own help, interfaces
# and peers from the running system: what is offered is what there is.

# _wgtool_offer WORD...: those that begin as what is being typed.
_wgtool_offer() {
	local word
	for word in "$@"; do
		[[ $word != "$cur"* ]] || COMPREPLY+=("$word")
	done
}

_wgtool_files() {
	local file
	# Without -o filenames a directory has to look like one.
	while IFS= read -r file; do
		if [[ -d $file ]]; then
			COMPREPLY+=("$file/")
			compopt -o nospace
		elif [[ ${1-} != directories ]]; then
			COMPREPLY+=("$file")
		fi
	done < <(compgen -f -- "$cur")
}

_wgtool_interfaces() {
	local -a names
	read -ra names < <("${program[@]}" show interfaces 2>/dev/null)
	_wgtool_offer "${names[@]}"
}

# The public keys of an interface that are not on the line yet.
_wgtool_peers() {
	local key
	while IFS= read -r key; do
		key=${key##*$'\t'}
		[[ " ${words[*]:1:${#words[@]}-2} " == *" $key "* ]] || _wgtool_offer "$key"
	done < <("${program[@]}" show "$1" peers 2>/dev/null)
}

# Interfaces that have a file, and files.
_wgtool_configs() {
	local file
	for file in "$config_dir"/*.conf; do
		file=${file##*/}
		[[ $file == '*.conf' ]] || _wgtool_offer "${file%.conf}"
	done
	while IFS= read -r file; do
		if [[ -d $file ]]; then
			COMPREPLY+=("$file/")
			compopt -o nospace
		elif [[ $file == *.conf ]]; then
			COMPREPLY+=("$file")
		fi
	done < <([[ -z $cur ]] || compgen -f -- "$cur")
}

# The values of an option, by its name and by what the help calls them.
_wgtool_values() {
	local file
	case $1 in
	--kind) _wgtool_offer wireguard wgpp ;;
	--netns)
		for file in /run/netns/*; do
			[[ ! -e $file ]] || _wgtool_offer "${file##*/}"
		done
		;;
	--sort) _wgtool_offer age rx tx name key endpoint ;;
	--state) _wgtool_offer up idle stale never rejected ;;
	--color) _wgtool_offer auto always never ;;
	--peer) _wgtool_peers "${place:-all}" ;;
	*)
		case $2 in
		DIR) _wgtool_files directories ;;
		FILE) _wgtool_files ;;
		esac
		;;
	esac
}

# What may follow in `set IF ...'.
_wgtool_set() {
	local in_peer=no word
	local -a device=(listen-port fwmark private-key)
	local -a peer=(remove preshared-key endpoint persistent-keepalive allowed-ips)
	local -A used=()
	local i=$1 value_of=
	for ((; i < ${#words[@]} - 1; i++)); do
		word=${words[i]}
		if [[ -n $value_of ]]; then
			value_of=
			continue
		fi
		used[$word]=yes
		[[ $word == remove ]] || value_of=$word
		if [[ $word == peer ]]; then
			in_peer=yes
			used=()
		fi
	done
	case $value_of in
	private-key | preshared-key) _wgtool_files ;;
	fwmark | persistent-keepalive) _wgtool_offer off ;;
	peer) _wgtool_peers "$place" ;;
	esac
	[[ -z $value_of ]] || return 0
	[[ $in_peer == yes ]] || peer=()
	[[ $in_peer == no ]] || device=()
	# A peer that goes has no other properties.
	[[ -z ${used[remove]-} ]] || peer=()
	for word in "${device[@]}" "${peer[@]}"; do
		[[ -n ${used[$word]-} ]] || _wgtool_offer "$word"
	done
	_wgtool_offer peer
}

_wgtool_command() {
	local command=$1 at=$2 number=$3
	case $command in
	help) _wgtool_offer "${commands[@]}" ;;
	show)
		case $number in
		0) _wgtool_interfaces && _wgtool_offer all interfaces ;;
		1) [[ $place == interfaces ]] || _wgtool_offer public-key private-key listen-port fwmark \
			peers preshared-keys endpoints allowed-ips latest-handshakes transfer \
			persistent-keepalive dump ;;
		esac
		;;
	showconf | clean) [[ $number != 0 ]] || _wgtool_interfaces ;;
	watch | monitor | drops) [[ $number != 0 ]] || { _wgtool_interfaces && _wgtool_offer all; } ;;
	setconf | addconf | syncconf)
		case $number in
		0) _wgtool_interfaces ;;
		1) _wgtool_files ;;
		esac
		;;
	set)
		if [[ $number == 0 ]]; then _wgtool_interfaces; else _wgtool_set "$at"; fi
		;;
	up | down | apply | diff | save | strip) [[ $number != 0 ]] || _wgtool_configs ;;
	genkey | genpsk | pubkey) ;;
	esac
}

_wgtool() {
	COMPREPLY=()
	# By blanks alone: bash's own words end at "=" and ":" too, of which keys and addresses are full.
	local line=${COMP_LINE:0:COMP_POINT}
	local -a words
	read -ra words <<<"$line"
	[[ $line != *[[:blank:]] ]] || words+=('')
	local cur=${words[-1]} previous='' config_dir=/etc/wireguard
	local -a program=("${words[0]/#\~/$HOME}")

	local i command='' place='' number=0 at=0 value='' help
	for ((i = 1; i < ${#words[@]} - 1; i++)); do
		case ${words[i]} in
		--kind | --netns | --config-dir)
			previous=${words[i]}
			((i + 1 < ${#words[@]} - 1)) || break
			previous=''
			[[ ${words[i]} != --config-dir ]] || config_dir=${words[i + 1]/#\~/$HOME}
			program+=("${words[i]}" "${words[i + 1]}")
			i=$((i + 1))
			;;
		-*) ;;
		*)
			command=${words[i]}
			i=$((i + 1))
			break
			;;
		esac
	done

	local -a commands
	mapfile -t commands < <("${program[0]}" --help 2>/dev/null |
		sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
	if [[ -z $command || $command == help ]]; then
		help=$("${program[0]}" --help 2>/dev/null)
	else
		help=$("${program[0]}" help "$command" 2>/dev/null)
	fi

	# Options, and what their values are called.
	local -A values=() long=()
	local text
	while IFS= read -r text; do
		[[ $text =~ ^\ \ (-[a-z]+,\ )?(--[a-z-]+)(\ ([A-Z][A-Z]+)|\[=[A-Z]+\])?\  ]] || continue
		long[${BASH_REMATCH[2]}]=${BASH_REMATCH[2]}
		values[${BASH_REMATCH[2]}]=${BASH_REMATCH[4]}
		[[ -n ${BASH_REMATCH[1]} ]] || continue
		long[${BASH_REMATCH[1]%, }]=${BASH_REMATCH[2]}
	done <<<"$help"

	# Words of the command that are neither options nor their values.
	if [[ -n $command ]]; then
		for ((; i < ${#words[@]} - 1; i++)); do
			text=${long[${words[i]}]-}
			if [[ $command != set && -n $text && -n ${values[$text]} ]]; then
				previous=$text
				((i + 1 < ${#words[@]} - 1)) || break
				previous=''
				i=$((i + 1))
			elif [[ $command == set || ${words[i]} != -* ]]; then
				[[ $number != 0 ]] || place=${words[i]} at=$((i + 1))
				number=$((number + 1))
			fi
		done
	fi

	if [[ -n $previous ]]; then
		_wgtool_values "$previous" "${values[$previous]:-DIR}"
	elif [[ $cur == --*=* ]]; then
		value=${cur%%=*}
		cur=${cur#*=}
		_wgtool_values "$value" "${values[$value]-}"
		COMPREPLY=("${COMPREPLY[@]/#/$value=}")
		cur=$value=$cur
	elif [[ $cur == -* && $command != set ]]; then
		_wgtool_offer "${!long[@]}"
	elif [[ -z $command ]]; then
		_wgtool_offer "${commands[@]}" help version
	else
		_wgtool_command "$command" "$at" "$number"
	fi

	# Bash replaces only what is behind the last of its breaks.
	local breaks=${COMP_WORDBREAKS//[^=:]/}
	if [[ -n $breaks && $cur == *["$breaks"]* ]]; then
		value=${cur%"${cur##*["$breaks"]}"}
		COMPREPLY=("${COMPREPLY[@]#"$value"}")
	fi
}

complete -F _wgtool wgtool

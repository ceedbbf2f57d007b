#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# Holds manual, completions and units beside the tool itself.
#
#	scripts/check-docs.sh [WGTOOL]     default: build/tool/wgtool
#
# Commands and options are those that the tool's help names; the completions are run in their
# shells. The kernel's state is not there for that: a program in front of WGTOOL answers `show
# interfaces' and `show IF peers' with fixed text and leaves all else to it. Output: "ok - CHECK" or
# "not ok - CHECK" with the findings below it; the status is 0 when all hold.
set -euo pipefail
export LC_ALL=C

case ${1-} in
-h | --help) sed -n '4,11s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit 0 ;;
esac
real=$(realpath "${1:-$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")/build/tool/wgtool}")
cd "$(dirname "$(dirname "$(realpath "${BASH_SOURCE[0]}")")")"
# shellcheck source=scripts/report.sh
source scripts/report.sh

[[ -x $real ]] || die "$real is missing: build it with 'make tool'"
need zsh zsh
need fish fish
need systemd-analyze systemd
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/bin" "$work/configs" "$work/zsh"

key_a=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=
key_b=BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA=
cat >"$work/bin/wgtool" <<END
#!/bin/bash
words=()
kind=wireguard
while [[ \${1-} == --* && \$1 != --help ]]; do
	[[ \$1 != --kind ]] || kind=\$2
	shift 2
done
case "\$kind \$*" in
"wireguard show interfaces") echo "wg0 home" ;;
"wgpp show interfaces") echo wgpp0 ;;
*" show wg0 peers") printf '%s\n' $key_a $key_b ;;
*" show all peers") printf 'wg0\t%s\n' $key_a ;;
*" set "*) printf '<%s>' "\$@"; echo ;;
*) exec '$real' "\$@" ;;
esac
END
chmod +x "$work/bin/wgtool"
touch "$work/configs/home.conf" "$work/configs/office.conf" "$work/configs/notes.txt"
export PATH=$work/bin:$PATH

mapfile -t commands < <("$real" --help | sed -n '/^Commands:/,/^$/s/^  \([a-z]*\) .*/\1/p')
[[ ${#commands[@]} -gt 10 ]] || die "$real --help names no commands"

# options_of [COMMAND]: as they are typed, one on each line.
options_of() {
	local -a how=(--help)
	[[ -z ${1-} ]] || how=(help "$1")
	"$real" "${how[@]}" | sed -n '/^Options/,/^$/p' | match -o '^  (-[a-z]+, )?--[a-z-]+' |
		match -o -- '-[a-z-]+'
}

# commands_with OPTION: those whose help has it.
commands_with() {
	local command
	for command in "${commands[@]}"; do
		! options_of "$command" | grep -qxe "$1" || printf '%s\n' "$command"
	done
}

# Asks each shell in turn: complete_SHELL LINE prints what it offers, a word on each line, sorted.
complete_bash() {
	# shellcheck disable=SC2016 # for the inner shell
	bash --norc -c '
		compopt() { :; }
		. completions/wgtool.bash
		COMP_LINE=$1 COMP_POINT=${#1}
		COMP_WORDBREAKS=" =:"
		read -ra COMP_WORDS <<<"$1"
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_wgtool
		[[ ${#COMPREPLY[@]} == 0 ]] || printf "%s\n" "${COMPREPLY[@]}"' bash "$1" | sort -u
}

complete_fish() {
	# shellcheck disable=SC2016 # for the inner shell
	HOME=$work XDG_CONFIG_HOME=$work fish --no-config -c '
		source completions/wgtool.fish
		complete -C $argv[1]' "$1" | cut -f 1 | sort -u
}

# zsh completes at a terminal only. It stays there and says what it offers in a file.
cat >"$work/zsh/.zshrc" <<'END'
PROMPT=
fpath=($PWD/completions $fpath)
autoload -Uz compinit
compinit -u -D
compadd() {
	# With these it only computes something for its caller.
	if [[ ${@[1,(i)(-|--)]} == *-(O|A|D)\ * ]]; then
		builtin compadd "$@"
		return
	fi
	local -a hits
	builtin compadd -A hits "$@"
	(( $#hits == 0 )) || print -rl -- $hits >>$HITS
	builtin compadd "$@"
}
probe() {
	_main_complete
	print END >>$HITS
}
zle -C probe list-choices probe
bindkey '^X' probe
zle-line-init() { print READY >$HITS }
zle -N zle-line-init
END
cat >"$work/zsh/driver" <<'END'
zmodload zsh/zpty
zmodload zsh/zselect
# wait_for WORD: until it is the last line of what was offered, for at most 20 s.
wait_for() {
	local i text
	for ((i = 0; i < 1000; i++)); do
		while zpty -rt z text; do :; done
		[[ "$(tail -n 1 $HITS 2>/dev/null)" != $1 ]] || return 0
		zselect -t 2
	done
	print "zsh: no $1 within 20 s"
	exit 1
}
zpty -b z zsh -d -i
wait_for READY
while IFS= read -r line; do
	: >$HITS
	zpty -w -n z "$line"$'\C-x'
	wait_for END
	print -r -- "= $line"
	grep -v '^END$' $HITS | sort -u
	: >$HITS
	zpty -w -n z $'\C-u'
done
zpty -d z
END

# What zsh offers for all lines of the checks, found out in one go.
zsh_answers=$work/zsh/answers
ask_zsh() {
	HITS=$work/zsh/hits ZDOTDIR=$work/zsh TERM=dumb zsh -f "$work/zsh/driver" >"$zsh_answers"
}

complete_zsh() {
	awk -v want="= $1" '/^= /{ on = $0 == want; found = found || on; next } on
		END { if (!found) print "zsh was not asked for", want }' "$zsh_answers"
}

# Line, and the words that are to be offered, those and no others.
scenarios=$work/scenarios
cat >"$scenarios" <<END
wgtool sho: show showconf
wgtool show : all home interfaces wg0
wgtool show h: home
wgtool show wg0 pe: peers persistent-keepalive
wgtool show interfaces :
wgtool showconf : home wg0
wgtool --kind wgpp showconf : wgpp0
wgtool set : home wg0
wgtool set wg0 : fwmark listen-port peer private-key
wgtool set wg0 listen-port 51820 : fwmark peer private-key
wgtool set wg0 listen-port :
wgtool set wg0 fwmark : off
wgtool set wg0 peer : $key_a $key_b
wgtool set wg0 peer B: $key_b
wgtool set wg0 peer $key_a : allowed-ips endpoint peer persistent-keepalive preshared-key remove
wgtool set wg0 peer $key_a endpoint [::1]:1 : allowed-ips peer persistent-keepalive preshared-key remove
wgtool set wg0 peer $key_a remove : peer
wgtool set wg0 peer $key_a remove peer : $key_b
wgtool set wg0 peer $key_a peer $key_b p: peer persistent-keepalive preshared-key
wgtool --config-dir $work/configs up : home office
wgtool --config-dir $work/configs down -n o: office
wgtool setconf wg0 $work/configs/n: $work/configs/notes.txt
wgtool set wg0 private-key $work/configs/n: $work/configs/notes.txt
wgtool clean : home wg0
wgtool genkey :
wgtool --kind w: wgpp wireguard
wgtool help genp: genpsk
END

check_scenarios() {
	local shell line want got
	shell=$1
	while IFS= read -r line; do
		want=$(tr ' ' '\n' <<<"${line##*:}" | sed '/^$/d' | sort -u)
		line=${line%:*}
		# zsh offers a file by the end of its path.
		got=$("complete_$shell" "$line")
		[[ $shell != zsh || $want != /* ]] || want=${want##*/}
		[[ $got == "$want" ]] || printf '%s\n' "\`$line' offers: ${got//$'\n'/ }" \
			"    instead of: ${want//$'\n'/ }"
	done <"$scenarios"
}

# missing_words WANT GOT WHERE
missing_words() {
	comm -23 <(sort -u <<<"$1") <(sort -u <<<"$2") | sed "/^\$/d; s|\$| is not offered for $3|"
}

check_offers() {
	local shell=$1 command
	missing_words "$(printf '%s\n' "${commands[@]}")" "$("complete_$shell" 'wgtool ')" "\`wgtool '"
	missing_words "$(options_of)" "$("complete_$shell" 'wgtool -')" "\`wgtool -'"
	for command in "${commands[@]}"; do
		missing_words "$(options_of "$command")" "$("complete_$shell" "wgtool $command -")" \
			"\`wgtool $command -'"
	done
}

# Options that take one of several words, as one has to type them.
choices=('--sort ' '--state ' '--color=')

# The help of such an option has its words.
check_values() {
	local shell=$1 choice option command text got word
	for choice in "${choices[@]}"; do
		option=${choice%?}
		for command in $(commands_with "$option"); do
			text=$("$real" help "$command" | match "^  .*$option")
			got=$("complete_$shell" "wgtool $command $choice")
			[[ -n $got ]] || echo "nothing is offered for wgtool $command $choice"
			for word in $got; do
				grep -qwe "${word#--*=}" <<<"$text" || echo "wgtool $command $choice: $word is none"
			done
		done
	done
}

# At a terminal, with keys typed: the words that the tool gets.
check_typed() {
	local shell=$1
	HITS=/dev/null ZDOTDIR=$work/zsh TERM=dumb zsh -f -c '
		zmodload zsh/zpty
		zmodload zsh/zselect
		case $1 in
		bash) zpty -b t bash --rcfile completions/wgtool.bash -i ;;
		zsh) zpty -b t zsh -d -i ;;
		esac
		zselect -t 100
		zpty -w -n t $'\''wgtool set w\tpeer B\tremo\t\r'\''
		typeset text part i
		for ((i = 0; i < 500; i++)); do
			while zpty -rt t part; do text+=$part; done
			[[ $text != *"$2"* ]] || exit 0
			zselect -t 2
		done
		print -r -- "$1: no $2 in: $text"' zsh "$shell" "<set><wg0><peer><$key_b><remove>"
}

check_arguments() {
	local command file
	for command in "${commands[@]}"; do
		for file in completions/*wgtool*; do
			grep -qE "^[^#]*\b$command\b" "$file" || echo "$file: what follows '$command' is not there"
		done
	done
}

check_help() {
	local command text
	for command in "${commands[@]}"; do
		text=$("$real" "$command" --help 2>"$work/err") || echo "$command --help: status $?"
		[[ ! -s $work/err ]] || echo "$command --help prints to standard error"
		[[ $text == "Usage: "* ]] || echo "$command --help has no usage"
		[[ $text == *$'\n\nExample:\n  '* ]] || echo "$command --help has no example"
		[[ $text == "$("$real" help "$command")" ]] || echo "help $command says something else"
	done
	"$real" --help | awk 'length > 110 { print "--help has a line of " length " columns: " $0 }'
}

check_manual() {
	local command option macro
	for command in "${commands[@]}"; do
		grep -qE "^\.It Cm $command( |\$)" man/wgtool.8 || echo "command $command is not in man/wgtool.8"
	done
	for command in '' "${commands[@]}"; do
		for option in $(options_of "$command"); do
			macro="Fl ${option#-}"
			[[ $option != --* ]] || macro="Fl Fl ${option#--}"
			grep -qE "^\.(It|Op|Pq)?( .*)?\b$macro( |\$)" man/wgtool.8 ||
				echo "option $option of ${command:-wgtool} is not in man/wgtool.8"
		done
	done
	git ls-files 'tool/*.cc' | match -v '_test\.cc$' |
		xargs -d '\n' grep -ohE '"(WG|WGTOOL|WGPP|NO)_[A-Z_]+"' | tr -d '"' | sort -u | while IFS= read -r option; do
		grep -q "^\.It Ev $option\$" man/wgtool.8 || echo "variable $option is not in man/wgtool.8"
	done
}

check_config_manual() {
	local key file
	grep -ohE 'equals_caseless\(name, "[A-Za-z]+"\)' tool/config.cc tool/quick_config.cc |
		cut -d '"' -f 2 | sort -u | while IFS= read -r key; do
		grep '^\.It Cm ' man/wgtool.conf.5 | grep -qw "$key" || echo "$key is not in man/wgtool.conf.5"
	done
	# Every example that is a whole file, with keys in it.
	awk -v dir="$work" '
		/^\.Bd/ { on = 1; file = ""; next }
		/^\.Ed/ { on = 0 }
		on && /^\[Interface\]/ { file = dir "/example" ++count ".conf" }
		on && file != "" { print > file }' man/wgtool.conf.5
	for file in "$work"/example*.conf; do
		while grep -qE '[A-Z]+_KEY' "$file"; do
			key=$("$real" genkey)
			sed -i "0,/[A-Z_]*_KEY/s|[A-Z_]*_KEY|$key|" "$file"
		done
		chmod 600 "$file"
		"$real" strip "$file" >/dev/null
	done
	[[ $(find "$work" -name 'example*' | wc -l) -ge 4 ]] || echo "there are fewer than 4 examples"
}

# The reasons of drops and what they mean.
check_reasons() {
	local name meaning num=0
	while IFS=$'\t' read -r name meaning; do
		grep -qF "| \`$name\` | $meaning |" Documentation/observability.md ||
			echo "$name, \"$meaning\", is not in Documentation/observability.md"
		num=$((num + 1))
	done < <(sed -nE 's/^\tX\([A-Z0-9_]+, "([^"]+)", "([^"]+)"\).*/\1\t\2/p' module/uapi/wgpp.h)
	[[ $num -ge 30 ]] || echo "module/uapi/wgpp.h has $num reasons"
}

check_units() {
	local root=$work/units
	mkdir "$root"
	sed 's|/usr/local/bin/wgtool|/bin/true|' 'systemd/wgtool@.service' >"$root/wgtool@.service"
	cp systemd/wgtool.target "$root"
	grep -c '/usr/local/bin/wgtool' 'systemd/wgtool@.service' | grep -vx 4 || true
	systemd-analyze verify --man=no "$root/wgtool@wg0.service" "$root/wgtool.target"
}

check_install() {
	local root=$work/root file
	make -s TOOL="$real" DESTDIR="$root" PREFIX=/opt/x install-tool
	for file in bin/wgtool share/man/man8/wgtool.8 share/man/man5/wgtool.conf.5 \
		share/bash-completion/completions/wgtool share/zsh/site-functions/_wgtool \
		share/fish/vendor_completions.d/wgtool.fish lib/systemd/system/wgtool@.service \
		lib/systemd/system/wgtool.target; do
		[[ -f $root/opt/x/$file ]] || echo "$file is not installed"
	done
	grep -n '/usr/local' "$root/opt/x/lib/systemd/system/wgtool@.service" || true
	make -s DESTDIR="$root" PREFIX=/opt/x uninstall
	find "$root" ! -type d -printf 'left behind: %p\n'
}

{
	sed 's/:[^:]*$//' "$scenarios"
	printf '%s\n' 'wgtool ' 'wgtool -'
	printf 'wgtool %s -\n' "${commands[@]}"
	for choice in "${choices[@]}"; do
		for command in $(commands_with "${choice%?}"); do
			printf 'wgtool %s %s\n' "$command" "$choice"
		done
	done
} >"$work/zsh/lines"

report 'every command has help with an example' check_help
report 'wgtool(8) has every command, option and variable' check_manual
report 'wgtool.conf(5) has every key, and its examples are taken' check_config_manual
report 'completions know what follows every command' check_arguments
report 'zsh answers' ask_zsh <"$work/zsh/lines"
for shell in bash zsh fish; do
	report "$shell offers every command and option" check_offers $shell
	report "$shell offers interfaces, peers, files and keywords, each in its place" check_scenarios $shell
	report "$shell offers values of options that there are" check_values $shell
done
report 'bash completes what is typed' check_typed bash
report 'zsh completes what is typed' check_typed zsh
report 'observability.md has the reasons of drops' check_reasons
report 'units pass systemd-analyze' check_units
report 'make uninstall removes what make install-tool put there' check_install

end_report

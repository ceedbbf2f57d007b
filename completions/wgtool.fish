# SPDX-License-Identifier: GPL-2.0
#
# Completion of wgtool for fish. Commands and options come from the program's own help, interfaces
# and peers from the running system: what is offered is what there is.

function __wgtool_interfaces
    string split -n ' ' -- ($argv show interfaces 2>/dev/null)
end

# Interfaces that have a file, and files.
function __wgtool_configs -a directory
    for file in $directory/*.conf
        string replace -r '.*/(.*)\.conf$' '$1' -- $file
    end
    set -l current (commandline -ct)
    test -z "$current"; or __fish_complete_suffix "$current" .conf
end

# The values of an option, by its name and by what the help calls them.
function __wgtool_values -a option value place
    switch $option
        case --kind
            printf '%s\n' wireguard wgpp
        case --netns
            for file in /run/netns/*
                string replace -r '.*/' '' -- $file
            end
        case --sort
            printf '%s\n' age rx tx name key endpoint
        case --state
            printf '%s\n' up idle stale never rejected
        case --color
            printf '%s\n' auto always never
        case --peer
            test -n "$place"; or set place all
            $argv[4..] show $place peers 2>/dev/null | string replace -r '.*\t' ''
        case '*'
            switch $value
                case DIR
                    __fish_complete_directories (commandline -ct)
                case FILE
                    __fish_complete_path (commandline -ct)
            end
    end
end

# What may follow in `set IF ...'. Arguments: the interface, how many words of the rest follow, the
# rest, the program.
function __wgtool_set -a place count
    set -l rest
    test $count -eq 0; or set rest $argv[3..(math $count + 2)]
    set -l program $argv[(math $count + 3)..]
    set -l device listen-port fwmark private-key
    set -l peer remove preshared-key endpoint persistent-keepalive allowed-ips
    set -l used
    set -l in_peer no
    set -l value_of
    for word in $rest
        if test -n "$value_of"
            set value_of
            continue
        end
        test $word = remove; or set value_of $word
        if test $word = peer
            set in_peer yes
            set used
        else
            set -a used $word
        end
    end
    switch "$value_of"
        case private-key preshared-key
            __fish_complete_path (commandline -ct)
        case fwmark persistent-keepalive
            echo off
        case peer
            # Those that are not on the line yet.
            for key in ($program show $place peers 2>/dev/null)
                contains -- $key $rest; or echo $key
            end
    end
    test -z "$value_of"; or return
    set -l words $device
    test $in_peer = no; or set words $peer
    # A peer that goes has no other properties.
    contains remove $used; and set words
    for word in $words peer
        contains -- $word $used; or echo $word
    end
end

function __wgtool_command -a command number place count
    set -l rest
    test $count -eq 0; or set rest $argv[5..(math $count + 4)]
    set -l program $argv[(math $count + 5)..]
    switch $command
        case help
            __wgtool_commands $program[1]
        case show
            if test $number -eq 0
                __wgtool_interfaces $program
                printf '%s\n' all interfaces
            else if test $number -eq 1 -a "$place" != interfaces
                printf '%s\n' public-key private-key listen-port fwmark peers preshared-keys \
                    endpoints allowed-ips latest-handshakes transfer persistent-keepalive dump
            end
        case showconf clean
            test $number -gt 0; or __wgtool_interfaces $program
        case watch monitor drops
            test $number -gt 0; or begin
                __wgtool_interfaces $program
                echo all
            end
        case setconf addconf syncconf
            if test $number -eq 0
                __wgtool_interfaces $program
            else if test $number -eq 1
                __fish_complete_path (commandline -ct)
            end
        case set
            if test $number -eq 0
                __wgtool_interfaces $program
            else
                __wgtool_set $place $count $rest $program
            end
        case up down apply diff save strip
            test $number -gt 0; or __wgtool_configs $__wgtool_directory
        case genkey genpsk pubkey
    end
end

function __wgtool_commands -a program
    $program --help 2>/dev/null | sed -n '/^Commands:/,/^$/p' |
        string replace -rf '^  ([a-z]+) +(.*)$' '$1\t$2'
end

function __wgtool_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    set -l program $words[1]
    set -g __wgtool_directory /etc/wireguard
    set -l previous
    set -l command
    set -l i 2
    while test $i -le (count $words)
        switch $words[$i]
            case --kind --netns --config-dir
                set previous $words[$i]
                test $i -lt (count $words); or break
                set previous
                set i (math $i + 1)
                test $words[(math $i - 1)] != --config-dir; or set __wgtool_directory $words[$i]
                set -a program $words[(math $i - 1)] $words[$i]
            case '-*'
            case '*'
                set command $words[$i]
                set i (math $i + 1)
                break
        end
        set i (math $i + 1)
    end

    set -l help
    if test -z "$command" -o "$command" = help
        set help ($program[1] --help 2>/dev/null)
    else
        set help ($program[1] help $command 2>/dev/null)
    end

    # Options: letters, names, what their values are called, what they do.
    set -l letters
    set -l names
    set -l values
    set -l texts
    for line in $help
        # Groups that may be empty, but are always there.
        set -l found (string match -r '^  ((?:-[a-z]+, )?)(--[a-z-]+)((?: [A-Z][A-Z]+|\[=[A-Z]+\])?) +(.*)$' -- $line)
        or continue
        set -a letters (string replace ', ' '' -- "$found[2]")
        set -a names $found[3]
        set -a values (string replace -r '^(\[.*| )' '' -- "$found[4]")
        set -a texts "$found[5]"
    end

    # Words of the command that are neither options nor their values.
    set -l number 0
    set -l place
    set -l rest
    while test -n "$command" -a $i -le (count $words)
        set -l word $words[$i]
        set -l index
        if string match -qr '^-' -- $word; and test "$command" != set
            set index (contains -i -- $word $names; or contains -i -- $word $letters)
        end
        if test -n "$index"
            if test -n "$values[$index]"
                set previous $names[$index]
                test $i -lt (count $words); or break
                set previous
                set i (math $i + 1)
            end
        else if test "$command" = set; or not string match -qr '^-' -- $word
            if test $number -eq 0
                set place $word
            else
                set -a rest $word
            end
            set number (math $number + 1)
        end
        set i (math $i + 1)
    end

    if test -n "$previous"
        set -l index (contains -i -- $previous $names)
        set -l value DIR
        test -z "$index"; or set value "$values[$index]"
        __wgtool_values $previous "$value" "$place" $program
    else if string match -qr '^--.*=' -- "$current"
        set -l name (string replace -r '=.*' '' -- $current)
        set -l index (contains -i -- $name $names)
        set -l value
        test -z "$index"; or set value "$values[$index]"
        for text in (__wgtool_values $name "$value" "$place" $program)
            echo $name=$text
        end
    else if string match -q -- '-*' "$current"; and test "$command" != set
        for i in (seq (count $names))
            printf '%s\t%s\n' $names[$i] $texts[$i]
            test -z "$letters[$i]"; or printf '%s\t%s\n' $letters[$i] $texts[$i]
        end
    else if test -z "$command"
        __wgtool_commands $program[1]
        printf '%s\t%s\n' help 'Explains a command' version 'Prints the version'
    else
        __wgtool_command $command $number "$place" (count $rest) $rest $program
    end
end

complete -c wgtool -f -a '(__wgtool_complete)'

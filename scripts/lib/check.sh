# Checks that are counted. Sourced by scripts; the last line they print is `N passed, N failed`.
passed=0
failed=0

check_output=$(mktemp)

# check WHAT COMMAND...: runs the command quietly, in this shell (it may set variables), and counts.
check() {
    local what=$1
    shift
    if "$@" >"$check_output" 2>&1; then
        passed=$((passed + 1))
        printf 'ok    %s\n' "$what"
    else
        failed=$((failed + 1))
        printf 'FAIL  %s\n' "$what"
        tail -n 20 "$check_output" | sed 's/^/      /'
    fi
}

# told WHAT VALUE: tells a figure; nothing is counted.
told() {
    printf 'note  %s: %s\n' "$1" "$2"
}

# same A B: two texts are equal.
same() {
    [ "$1" = "$2" ] || {
        printf 'expected %s\nfound    %s\n' "$1" "$2"
        return 1
    }
}

# at_most LIMIT VALUE
at_most() {
    [ "$2" -le "$1" ] || {
        echo "$2 is more than $1"
        return 1
    }
}

# eventually SECONDS COMMAND...: until it succeeds.
eventually() {
    local until=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        if ((SECONDS >= until)); then
            "$@"
            return
        fi
        sleep 0.2
    done
}

# need PROGRAM...: fails with the command that installs what is missing.
need() {
    local program
    for program in "$@"; do
        command -v "$program" >/dev/null || {
            echo "error: $program: it is not installed"
            echo "hint: run scripts/setup as root"
            exit 1
        } >&2
    done
}

summary() {
    printf '%d passed, %d failed\n' "$passed" "$failed"
    ((failed == 0))
}

# Killed in mid-push, and a line that breaks: what was sent is not sent again.

section_killed() {
    local server
    for server in new old; do
        check "$server: kill -9 in mid-push, and the same command again: it ends well" killed_push $server
        check "$server: what was sent twice is at most $(killed_limit $server) bytes" at_most "$(killed_limit $server)" "${killed_twice:-999999999}"
    done
    told "sent twice after the last kill, bytes" "${killed_twice:-}"
    check "five kills at other moments: it ends well" killed_often
    check "an upload over a line that breaks three times ends well" cut_push
    check "a download over a line that breaks three times: by Range, nothing twice" cut_pull
    check "kill -9 in mid-pull, and the same command again: it ends well" killed_pull
    check "what was read twice is at most 12000000 bytes" at_most 12000000 "${pulled_twice:-999999999}"
    check "no session of an upload is left over in the store" killed_left
}

# Distribution 3 goes on in mid-blob, with what had not come to its disk again; 2.8 loses the blobs that were on their way.
killed_limit() { [ "$1" = new ] && echo 24000000 || echo 76000000; }

# far NAME SERVER [FLAGS...]: a proxy before a registry; its address is in $far.
far() {
    local folder=$work/far/$1
    rm -rf "$folder"
    python3 scripts/lib/far_proxy.py "$folder" "${registry_at[$2]}" "${@:3}" >/dev/null 2>"$work/far.log" &
    far_pid=$!
    eventually 10 test -s "$folder/address" || return
    far=$(cat "$folder/address")
}

far_bytes() { # NAME DIRECTION
    python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))[sys.argv[2]])' "$work/far/$1/bytes" "$2"
}

far_stop() {
    kill "$far_pid"
    wait "$far_pid" 2>/dev/null
    return 0
}

# more_than BYTES NAME DIRECTION
more_than() { (($(far_bytes "$2" "$3") > $1)); }

# Bytes of all layers, nearly.
large=83886080

killed_push() {
    far "killed-$1" "$1" --mbit 200 --delay 5 || return
    local to=$far/killed/large pid sent
    "$kimg" copy "oci:$work/foreign/large:x" "docker://$to:x" >"$work/killed.log" 2>&1 &
    pid=$!
    eventually 60 more_than 50000000 "killed-$1" up
    kill -9 "$pid" || { cat "$work/killed.log"; return 1; }
    wait "$pid" 2>/dev/null
    ! manifest_at "$to:x" 2>/dev/null || return
    [ "$1" = old ] || find "$KIMG_HOME/cache" -path '*upload*' -type f ! -name '*.lock' | grep . || return
    "$kimg" copy "oci:$work/foreign/large:x" "docker://$to:x" || return
    sent=$(far_bytes "killed-$1" up)
    far_stop
    killed_twice=$((sent - large))
    echo "sent in all: $sent"
    same "$(digest_in "$work/foreign/large")" "$(digest_at "${registry_at[$1]}/killed/large:x")"
}

killed_often() {
    far often new --mbit 200 --delay 5 || return
    local to=$far/often/large pid
    for at in 5 17 33 50 70; do
        "$kimg" copy "oci:$work/foreign/large:x" "docker://$to:x" >"$work/killed.log" 2>&1 &
        pid=$!
        eventually 20 more_than ${at}000000 often up
        kill -9 "$pid"
        wait "$pid" 2>/dev/null
    done
    "$kimg" copy "oci:$work/foreign/large:x" "docker://$to:x" || return
    echo "sent in all: $(far_bytes often up)"
    at_most $((large + 5 * 12000000)) "$(far_bytes often up)" || return
    far_stop
    same "$(digest_in "$work/foreign/large")" "$(digest_at "${registry_at[new]}/often/large:x")"
}

cut_push() {
    far cut new --mbit 200 --delay 5 --cut 5000000,37000000,60000000 || return
    "$kimg" copy "oci:$work/foreign/large:x" "docker://$far/cut/large:x" || return
    same 3 "$(far_bytes cut cut)" || return
    echo "sent in all: $(far_bytes cut up)"
    far_stop
    same "$(digest_in "$work/foreign/large")" "$(digest_at "${registry_at[new]}/cut/large:x")"
}

cut_pull() {
    push_skopeo "$work/foreign/large" "${registry_at[old]}/cut/pull:x" || return
    far cut-pull old --mbit 200 --delay 5 --cut-down 5000000,37000000,60000000 || return
    KIMG_HOME=$work/cut-pull "$kimg" pull "$far/cut/pull:x" || return
    same 3 "$(far_bytes cut-pull cut)" || return
    echo "read in all: $(far_bytes cut-pull down)"
    at_most $((large + 12000000)) "$(far_bytes cut-pull down)" || return
    far_stop
    KIMG_HOME=$work/cut-pull "$kimg" store check
}

killed_pull() {
    push_skopeo "$work/foreign/large" "${registry_at[old]}/killed/pull:x" || return
    far pull old --mbit 200 --delay 5 || return
    local pid
    KIMG_HOME=$work/killed-pull "$kimg" pull "$far/killed/pull:x" >"$work/killed.log" 2>&1 &
    pid=$!
    eventually 60 more_than 50000000 pull down
    kill -9 "$pid" || { cat "$work/killed.log"; return 1; }
    wait "$pid" 2>/dev/null
    KIMG_HOME=$work/killed-pull "$kimg" pull "$far/killed/pull:x" || return
    pulled_twice=$(($(far_bytes pull down) - large))
    echo "read in all: $(far_bytes pull down)"
    far_stop
    KIMG_HOME=$work/killed-pull "$kimg" store check
}

# Sessions that ended are no longer kept.
killed_left() {
    same "" "$(find "$KIMG_HOME/cache" -path '*upload*' -type f ! -name '*.lock')"
}

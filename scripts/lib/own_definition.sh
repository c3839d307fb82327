# A definition of a user's on top of an image, of real input. Needs check.sh, docker.sh with a daemon, $kimg, $work, and
# $work/company.pem, a certificate.

# own_write: a definition with a layer of each kind in $work/definition, its archive on a server of this machine; sets
# $own_server (its process).
own_write() {
    local url
    mkdir -p "$work/definition" "$work/downloads/plugin-1/lib" || return
    echo 'a plug-in' >"$work/downloads/plugin-1/lib/plugin.jar"
    tar -C "$work/downloads" -czf "$work/downloads/plugin-1.tar.gz" plugin-1 || return
    python3 -u -m http.server --bind 127.0.0.1 --directory "$work/downloads" 0 >"$work/downloads.log" 2>&1 &
    own_server=$!
    eventually 10 grep -q 'Serving HTTP' "$work/downloads.log" || return
    url=http://127.0.0.1:$(sed -n 's/^Serving HTTP on [^ ]* port \([0-9]*\).*/\1/p' "$work/downloads.log")
    export no_proxy="${no_proxy:+$no_proxy,}127.0.0.1"
    cp "$work/company.pem" "$work/definition/company.pem" || return
    printf 'rules:\n- pattern: ".*"\n' >"$work/definition/jmx.yml"
    cat >"$work/definition/image.toml" <<TOML
name = "company-kafka"
from = "kafka:3.5.2"

[[layer]]
name = "jmx-exporter"
maven = ["io.prometheus.jmx:jmx_prometheus_javaagent:0.20.0"]
into = "opt/jmx-exporter"

[[layer]]
name = "plugins"
[[layer.archive]]
url = "$url/plugin-1.tar.gz"
sha256 = "$(sha256sum <"$work/downloads/plugin-1.tar.gz" | cut -d' ' -f1)"
strip = 1
into = "opt/kafka/plugins"

[[layer]]
name = "tools"
packages = ["kcat"]

[[layer]]
name = "company"
files = [{ from = "jmx.yml", to = "etc/company/jmx.yml" }]
ca = ["company.pem"]

[run.env]
KAFKA_OPTS = "-javaagent:/opt/jmx-exporter/jmx_prometheus_javaagent-0.20.0.jar=9404:/etc/company/jmx.yml"
TOML
}

# own_builds: made with a lock, the layers of the image below first; again with --locked, the same digest.
own_builds() {
    local definition=$work/definition/image.toml
    own_answer=$("$kimg" build -f "$definition" -o "oci:$work/own-definition" 2>"$work/own-definition.log") || return
    grep -q "image.lock.toml: made, for there was none" "$work/own-definition.log" || return
    same "$own_answer" "$("$kimg" build -f "$definition" --locked 2>/dev/null)" || return
    "$kimg" build kafka:3.5.2 -o "oci:$work/own-definition" >/dev/null 2>&1 || return
    same "$(own_layers kafka:3.5.2)" "$(own_layers company-kafka:3.5.2 | head -n "$(own_layers kafka:3.5.2 | wc -l)")"
}

own_layers() {
    skopeo inspect --raw "oci:$work/own-definition:$1" |
        python3 -c 'import json,sys; print("\n".join(l["digest"] for l in json.load(sys.stdin)["layers"]))'
}

# own_offline: fetched, and built in a namespace without a route and with a store of its own.
own_offline() {
    "$kimg" fetch -f "$work/definition/image.toml" -o "$work/own-inputs" >/dev/null 2>&1 || return
    same "$own_answer" "$(KIMG_HOME=$work/own-offline unshare --net "$kimg" build -f "$work/definition/image.toml" --locked \
        --offline --inputs "$work/own-inputs" 2>/dev/null)"
}

# own_runs: a broker with all of it in its image.
own_runs() {
    docker exec own-definition kcat -V && docker exec own-definition kcat -L -b localhost:9092 || return
    same 'a plug-in' "$(docker exec own-definition cat /opt/kafka/plugins/lib/plugin.jar)" || return
    # The exporter is a part of the broker's Java. What grep -q leaves unread would fail what writes it.
    local metrics authorities
    metrics=$(docker exec own-definition bash -c 'exec 3<>/dev/tcp/127.0.0.1/9404 && printf "GET /metrics HTTP/1.0\r\n\r\n" >&3 && cat <&3') || return
    grep -q '^kafka_server_' <<<"$metrics" || return
    authorities=$(docker exec own-definition cat /etc/ssl/certs/ca-certificates.crt) || return
    grep -qF "$(sed -n 2p "$work/company.pem")" <<<"$authorities"
}

# own_stop: ends the server.
own_stop() {
    [ -z "${own_server:-}" ] || kill "$own_server" 2>/dev/null
}

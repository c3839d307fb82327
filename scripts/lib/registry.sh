# Registries of this machine: distribution 2.8 and 3. Sourced by scripts, which set $work. What they keep, and the requests
# they were asked, are below $work/registry/NAME.
declare -A registry_at registry_pid

# registry_start NAME PROGRAM [LINES-OF-HTTP [LINES-OF-THE-FILE]]: starts one; `${registry_at[NAME]}` is its HOST:PORT.
registry_start() {
    local name=$1 program=$2 folder=$work/registry/$1 verb=()
    mkdir -p "$folder"
    cat >"$folder/config.yml" <<YAML
version: 0.1
storage: {filesystem: {rootdirectory: $folder/data}, delete: {enabled: true}}
http:
  addr: ${registry_address:-127.0.0.1}:0
  secret: of-no-use
${3:-}
${4:-}
YAML
    # Its traces would go to a collector that is not there.
    OTEL_TRACES_EXPORTER=none "$program" serve "$folder/config.yml" >>"$folder/requests" 2>"$folder/log" </dev/null &
    registry_pid[$name]=$!
    eventually 10 grep -q 'listening on' "$folder/log" || {
        tail -n 5 "$folder/log"
        return 1
    }
    registry_at[$name]=${registry_host:-127.0.0.1}:$(sed -n 's/.*listening on [^ "]*:\([0-9]*\).*/\1/p' "$folder/log")
}

# registry_requests NAME [PATTERN]: how many requests it has answered, of those that the pattern finds (`"PUT /v2/`).
registry_requests() {
    grep -c "${2:-\"[A-Z]* /v2/}" "$work/registry/$1/requests"
}

# registry_forgets NAME: empties its list of requests.
registry_forgets() {
    : >"$work/registry/$1/requests"
}

registry_stop() { # NAME
    kill "${registry_pid[$1]}" 2>/dev/null
    wait "${registry_pid[$1]}" 2>/dev/null
    unset "registry_pid[$1]" "registry_at[$1]"
}

registries_stop() {
    local name
    for name in "${!registry_pid[@]}"; do
        registry_stop "$name"
    done
}

accepted='Accept: application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json'

# manifest_at HOST:PORT/REPOSITORY:TAG: the bytes of the manifest, by curl; as $registry_user where that is USER:PASSWORD.
manifest_at() {
    local place=${1%%/*} name=${1#*/}
    local tag=${name##*:}
    [[ $name == *@* ]] && tag=${name##*@} && name=${name%@*}:
    curl --silent --show-error --fail ${registry_user:+--user "$registry_user"} --header "$accepted" "http://$place/v2/${name%:*}/manifests/$tag"
}

# digest_at HOST:PORT/REPOSITORY:TAG: of the bytes that are there.
digest_at() {
    # Not through a variable: it would lose line ends.
    manifest_at "$1" | sha256sum | sed 's/ .*//;s/^/sha256:/'
}

# digest_in FOLDER [TAG]: what the index of a layout has under a tag.
digest_in() {
    python3 - "$1/index.json" "${2:-x}" <<'PY'
import json, sys
name = "org.opencontainers.image.ref.name"
for entry in json.load(open(sys.argv[1]))["manifests"]:
    if entry.get("annotations", {}).get(name) == sys.argv[2]:
        print(entry["digest"])
PY
}

# Every pair of places, beside what skopeo makes of it.

kinds=(docker oci oci-archive docker-archive docker-daemon store)

section_pairs() {
    local from to
    docker_here || return
    check "the same image in every place" pairs_sources
    for from in "${kinds[@]}"; do
        for to in "${kinds[@]}"; do
            check "$from: to $to:, as skopeo does it" pair "$from" "$to"
        done
    done
}

# pairs_sources: by other programs where there is one.
pairs_sources() {
    local image=$work/foreign/single
    mkdir -p "$work/pairs"
    skopeo_copy "oci:$image:x" "docker://${registry_at[new]}/pairs/source:x" &&
        skopeo_copy "oci:$image:x" "oci:$work/pairs/source:x" &&
        skopeo_copy "oci:$image:x" "oci-archive:$work/pairs/source.oci.tar:x" &&
        skopeo copy --quiet "oci:$image:x" "docker-archive:$work/pairs/source.tar:pairs/source:x" &&
        docker load --quiet --input "$work/pairs/source.tar" &&
        "$kimg" copy "oci:$image:x" store:pairs/source:x
}

# place KIND NAME: where an image of that kind is, as kimg writes it.
place() {
    case $1 in
    docker) echo "docker://${registry_at[new]}/pairs/$2:x" ;;
    oci) echo "oci:$work/pairs/$2:x" ;;
    oci-archive) echo "oci-archive:$work/pairs/$2.oci.tar:x" ;;
    docker-archive) echo "docker-archive:$work/pairs/$2.tar:pairs/$2:x" ;;
    docker-daemon) echo "docker-daemon:pairs/$2:x" ;;
    store) echo "store:pairs/$2:x" ;;
    esac
}

# skopeo has no store; a folder it has.
place_of_skopeo() {
    case $1 in
    store) [ "$2" = source ] && echo "oci:$KIMG_HOME:pairs/source:x" || echo "oci:$work/pairs/$2:x" ;;
    *) place "$1" "$2" ;;
    esac
}

pair() {
    local ours=$1-to-$2-by-kimg theirs=$1-to-$2-by-skopeo
    "$kimg" copy "$(place "$1" source)" "$(place "$2" "$ours")" >"$work/pairs/answer" || return
    skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false --src-daemon-host "$DOCKER_HOST" --dest-daemon-host "$DOCKER_HOST" \
        "$(place_of_skopeo "$1" source)" "$(place_of_skopeo "$2" "$theirs")" || return
    local mine other
    mine=$(place "$2" "$ours") other=$(place_of_skopeo "$2" "$theirs")
    [ "$2" != store ] || mine=oci:$KIMG_HOME:pairs/$ours:x
    same "$(config_facts "$other")" "$(config_facts "$mine")" || return
    # Places that keep manifests have the very bytes; those that do not make their own of it, each its own.
    case $1:$2 in
    docker-*:* | *:docker-*) grep -Ex 'sha256:[0-9a-f]{64}' "$work/pairs/answer" ;;
    *)
        same "$(inspect --raw "$other" | sha256sum)" "$(inspect --raw "$mine" | sha256sum)" || return
        same "$(digest_in "$work/foreign/single")" "$(cat "$work/pairs/answer")"
        ;;
    esac
}

inspect() {
    skopeo inspect --tls-verify=false --daemon-host "$DOCKER_HOST" "$@"
}

# config_facts PLACE: of a configuration, what says what runs: not how it is written.
config_facts() {
    inspect --config --raw "$1" | python3 -c '
import json, sys
config = json.load(sys.stdin)
facts = {key: config.get(key) for key in ("architecture", "os", "rootfs")}
facts["config"] = {key: value for key, value in config["config"].items() if value}
print(json.dumps(facts, sort_keys=True))'
}

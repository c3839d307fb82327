# The other programs, each made to do the same: all platforms, the same bytes, without TLS on this machine.

# hosts_here: registry.example and token.example are addresses of this namespace; nothing else is there.
hosts_here() {
    ip link set lo up && ip address add 10.210.7.1/32 dev lo || return
    printf '127.0.0.1 localhost\n10.210.7.1 registry.example token.example other.example\n' >"$work/hosts"
    mount --bind "$work/hosts" /etc/hosts
}

# plain_http HOST:PORT: some programs have to be told.
plain_http() {
    regctl registry set --skip-check --tls disabled "$1"
}

# Between registries: FROM TO, each HOST:PORT/REPOSITORY:TAG.
by_kimg() { "$kimg" copy "docker://$1" "docker://$2"; }
by_skopeo() { skopeo_copy "docker://$1" "docker://$2"; }
by_crane() { crane copy --insecure "$1" "$2"; }
by_regctl() { regctl image copy "$1" "$2"; }
by_oras() { oras copy --from-plain-http --to-plain-http "$1" "$2"; }

# From a folder's tag `x`: FOLDER TO.
push_kimg() { "$kimg" copy "oci:$1:x" "docker://$2"; }
push_skopeo() { skopeo_copy "oci:$1:x" "docker://$2"; }
push_crane() { crane push --insecure "$1" "$2"; }
push_regctl() { regctl image copy "ocidir://$1:x" "$2"; }
push_oras() { oras copy --from-oci-layout --to-plain-http "$1:x" "$2"; }

# Into a folder's tag `x`: FROM FOLDER.
pull_kimg() { "$kimg" copy "docker://$1" "oci:$2:x"; }
pull_skopeo() { skopeo_copy "docker://$1" "oci:$2:x"; }
pull_crane() { crane pull --insecure --format oci --annotate-ref "$1" "$2"; }
pull_regctl() { regctl image copy "$1" "ocidir://$2:x"; }
pull_oras() { oras copy --from-plain-http --to-oci-layout "$1" "$2:x"; }

skopeo_copy() {
    skopeo copy --quiet --all --preserve-digests --src-tls-verify=false --dest-tls-verify=false "$@"
}

# What a peer cannot do, as it was seen: `PEER IMAGE` to why. It is told when that is no longer so.
declare -A unable=(
    ["skopeo nested"]="skopeo 1.9 takes no index within an index"
    ["push-skopeo nested"]="skopeo 1.9 takes no index within an index"
    ["skopeo sha512"]="skopeo 1.9 names each blob by sha256"
    ["push-skopeo sha512"]="skopeo 1.9 names each blob by sha256"
    ["push-skopeo schema2"]="skopeo 1.9 finds OCI media types only in a folder"
    ["push-skopeo docker-list"]="skopeo 1.9 finds OCI media types only in a folder"
    ["crane sha512"]="a blob that distribution mounted is known by its sha256 only"
    ["oras sha512"]="oras takes distribution's Docker-Content-Digest, a sha256, for a wrong answer"
)

# does_or_not PEER IMAGE WHAT COMMAND...: a check that it works; where it is known not to, a note when it does.
does_or_not() {
    local why=${unable["$1 $2"]:-}
    if [ -z "$why" ]; then
        check "$3" "${@:4}"
    elif "${@:4}" >/dev/null 2>&1; then
        told "$3" "it works now, though the list says: $why"
    fi
}

# refuses CODE PATTERN COMMAND...: it ends with that exit code (a pattern of the shell), an error that the pattern finds, and nothing on stdout. What
# it told is in $work/refused.
refuses() {
    local code=$1 pattern=$2 found
    shift 2
    "$@" >"$work/refused.stdout" 2>"$work/refused"
    found=$?
    cat "$work/refused"
    [[ $found == $code ]] || same "$code" "$found" || return
    same "" "$(cat "$work/refused.stdout")" || return
    grep -E '^error: ' "$work/refused" || return
    grep -E -- "$pattern" "$work/refused"
}

# docker_here: a daemon in this namespace, so that it reaches the registries of it.
docker_here() {
    [ -z "${docker_pid:-}" ] || return 0
    mkdir -p /etc/docker
    mount -t tmpfs none /etc/docker
    check "a Docker daemon starts" docker_start "$work/docker" sh
}
